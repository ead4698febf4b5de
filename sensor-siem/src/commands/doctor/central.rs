//! Central: whether it lets us in, what may be read there, and what time it is there.

use diagnostic::{finding::Finding, printable};

use crate::{
    config::Config,
    engine::now,
    source::{Begin, Fault, Pace, Pages, Session, Tenant},
};

/// Tenants that are looked at, at most: each costs a request for each stream.
const MOST: usize = 20;

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let once = Pace { tries: 1, ..Pace::default() };
    let session = match Session::new(config.credentials.clone(), &config.connection, once) {
        Ok(session) => session,
        Err(error) => return vec![Finding::failure("central", error.to_string(), "mend the file of `ca_file`")],
    };
    let tenants = match session.tenants().await {
        Ok(tenants) => tenants,
        Err(fault) => return vec![failure("it", &fault)],
    };
    let mut found: Vec<Finding> =
        tenants.faults.iter().map(|(id, fault)| failure(&format!("the tenant {}", printable(id)), fault)).collect();
    if tenants.found.is_empty() && found.is_empty() {
        found.push(Finding::failure("central", "there is no tenant to read", "give these credentials a tenant"));
    }
    let mut date = None;
    for tenant in tenants.found.iter().take(MOST) {
        found.push(of_tenant(config, &session, tenant, &mut date).await);
    }
    if tenants.found.len() > MOST {
        let text = format!("{} more tenants were not tried", tenants.found.len() - MOST);
        found.push(Finding::fine("central", text));
    }
    found.extend(date.map(|(date, here)| clock(config, date, here)));
    found
}

/// Asks for what comes in from now on: next to nothing. `date` becomes the time there and here.
async fn of_tenant(config: &Config, session: &Session, tenant: &Tenant, date: &mut Option<(i64, i64)>) -> Finding {
    let what = format!("the tenant {tenant}");
    for stream in &config.streams {
        let pages = Pages { tenant, stream: *stream, light: false };
        match session.page(pages, &Begin::Time(now())).await {
            Ok(page) => *date = page.date.map(|date| (date, now())).or(*date),
            Err(fault) => return failure(&format!("{}s of {what}", stream.word()), &fault),
        }
    }
    Finding::fine("central", format!("{what} can be read"))
}

fn failure(what: &str, fault: &Fault) -> Finding {
    let fix = match fault {
        Fault::Unavailable(_) | Fault::TooLarge(_) => {
            "see that this host gets there, by its proxy if it has one: nothing is lost for 24 hours"
        }
        Fault::Refused(_) | Fault::Bad(_) => {
            "see that the credentials are not over, and have a role that may read: Service Principal ReadOnly or more"
        }
    };
    Finding::failure("central", format!("{what}: {fault}"), fix)
}

fn clock(config: &Config, date: i64, here: i64) -> Finding {
    let skew = date.abs_diff(here);
    if skew <= config.overlap.as_secs().max(60) {
        return Finding::fine("clock", format!("{skew} s from Central's"));
    }
    let text = format!("this host's clock differs from Central's by {skew} s, so nothing is read again for late items");
    Finding::warning("clock", text, "set the clock: chrony or systemd-timesyncd does so")
}
