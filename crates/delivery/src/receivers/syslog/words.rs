//! How syslog messages are written.

use settings::words;

words! {
    /// The facility of syslog messages (RFC 5424, section 6.2.1).
    pub Facility {
        Kern = "kern",
        User = "user",
        Mail = "mail",
        Daemon = "daemon",
        Auth = "auth",
        Syslog = "syslog",
        Lpr = "lpr",
        News = "news",
        Uucp = "uucp",
        Cron = "cron",
        Authpriv = "authpriv",
        Ftp = "ftp",
        Local0 = "local0",
        Local1 = "local1",
        Local2 = "local2",
        Local3 = "local3",
        Local4 = "local4",
        Local5 = "local5",
        Local6 = "local6",
        Local7 = "local7",
    }
}

impl Facility {
    /// The number that goes into the priority value.
    #[must_use]
    pub const fn code(self) -> u8 {
        // 12 to 15 have no name that is the same everywhere.
        let position = self as u8;
        if position < 12 { position } else { position + 4 }
    }
}

words! {
    /// How a syslog message begins.
    pub SyslogProtocol {
        /// RFC 3164 without the host: what the C library writes to `/dev/log`, and system loggers read there.
        Local = "local",
        Rfc3164 = "rfc3164",
        Rfc5424 = "rfc5424",
    }
}

words! {
    /// How messages in a stream are told apart (RFC 6587).
    pub Framing {
        /// The length of each before it.
        Octets = "octets" | "octet-counting",
        /// A line feed behind each.
        Lf = "lf" | "newline",
        /// A zero byte behind each.
        Nul = "nul",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_have_their_codes() {
        assert_eq!((Facility::Kern.code(), Facility::Authpriv.code(), Facility::Ftp.code()), (0, 10, 11));
        assert_eq!((Facility::Local0.code(), Facility::Local7.code()), (16, 23));
    }
}
