//! What a file of certificates or revocation lists consists of: PEM sections with any text around them, or DER.
//!
//! Each item stands for itself: one that cannot be read is told of and costs the others nothing.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use x509_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::certificate::X509Certificate;
use x509_parser::revocation_list::CertificateRevocationList;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
/// How DER of both begins.
const SEQUENCE: u8 = 0x30;
/// How PKCS #7 begins, behind the header of its outermost sequence: the identifier of signed data.
const PKCS7: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// How PKCS #12 begins there: version 3.
const PKCS12: [u8; 3] = [0x02, 0x01, 0x03];

/// What a file is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Certificates,
    Lists,
}

impl Wanted {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certificates => "certificate",
            Self::Lists => "revocation list",
        }
    }

    fn section(self) -> SectionKind {
        match self {
            Self::Certificates => SectionKind::Certificate,
            Self::Lists => SectionKind::Crl,
        }
    }
}

/// Why an item of a file is none that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Cut short or changed.
    Damaged(String),
    /// Whole, and something else: what it is, and what to do.
    Other { what: String, advice: &'static str },
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(reason) => write!(out, "it is damaged: {reason}"),
            Self::Other { what, advice } => write!(out, "it holds {what}; {advice}"),
        }
    }
}

/// The items of a file in DER, in their order. A file always has one, if only to say that it is empty.
pub fn items(bytes: &[u8], wanted: Wanted) -> Vec<Result<Vec<u8>, Unfit>> {
    let text = as_bytes_of_text(bytes);
    if memmem::find(&text, BEGIN).is_some() { pem(&text, wanted) } else { der(&text, wanted) }
}

/// Without the mark that some editors put before a text; and out of the two bytes a character in which some shells write.
fn as_bytes_of_text(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |pairs: &[u8], from: fn([u8; 2]) -> u16| {
        let units = pairs.chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        Cow::Owned(char::decode_utf16(units).map(|char| char.unwrap_or('\u{fffd}')).collect::<String>().into_bytes())
    };
    match bytes {
        [0xef, 0xbb, 0xbf, text @ ..] => Cow::Borrowed(text),
        [0xff, 0xfe, text @ ..] => wide(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => wide(text, u16::from_be_bytes),
        _ => Cow::Borrowed(bytes),
    }
}

fn pem(text: &[u8], wanted: Wanted) -> Vec<Result<Vec<u8>, Unfit>> {
    let begins: Vec<usize> = memmem::find_iter(text, BEGIN).collect();
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    begins.iter().zip(ends).map(|(&begin, end)| section(&text[begin..end], wanted)).collect()
}

/// A section with what follows it.
fn section(text: &[u8], wanted: Wanted) -> Result<Vec<u8>, Unfit> {
    let cut = || Unfit::Damaged("a PEM section of it is cut short".to_owned());
    let label = &text[BEGIN.len()..];
    let label = &label[..memmem::find(label, DASHES).ok_or_else(cut)?];
    let end = [b"-----END ", label, DASHES].concat();
    let end = memmem::find(text, &end).ok_or_else(cut)? + end.len();
    // Lines as the reader of PEM wants them: without what an indentation or another system's line ends add.
    let mut lines = Vec::with_capacity(end);
    for line in text[..end].split(|&byte| byte == b'\n' || byte == b'\r').map(<[u8]>::trim_ascii) {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    // The older name of the same.
    let (label, lines) = match label {
        b"X509 CERTIFICATE" => {
            (&b"CERTIFICATE"[..], String::from_utf8_lossy(&lines).replace("X509 CERTIFICATE", "CERTIFICATE").into())
        }
        _ => (label, lines),
    };
    match <(SectionKind, Vec<u8>)>::from_pem_slice(&lines) {
        Ok((kind, der)) if kind == wanted.section() => whole(der, wanted),
        Ok((SectionKind::Certificate, _)) => Err(certificate()),
        Ok((SectionKind::Crl, _)) => Err(list()),
        Err(error) if matches!(label, b"CERTIFICATE" | b"X509 CRL") => Err(Unfit::Damaged(error.to_string())),
        Ok(_) | Err(_) => Err(other(label)),
    }
}

fn der(mut bytes: &[u8], wanted: Wanted) -> Vec<Result<Vec<u8>, Unfit>> {
    let mut items = Vec::new();
    while !bytes.trim_ascii().is_empty() {
        // Both are sequences. Behind what is none, nothing tells where the next one would begin.
        let Some((rest, item)) = Any::from_der(bytes).ok().filter(|_| bytes[0] == SEQUENCE) else {
            items.push(Err(neither(bytes)));
            return items;
        };
        let whole_item = &bytes[..bytes.len() - rest.len()];
        if item.data.starts_with(&PKCS7) {
            items.push(Err(other(b"PKCS7")));
        } else if item.data.starts_with(&PKCS12) {
            items.push(Err(other(b"PKCS12")));
        } else {
            items.push(whole(whole_item.to_vec(), wanted));
        }
        bytes = rest;
    }
    if items.is_empty() {
        items.push(Err(Unfit::Damaged("it is empty".to_owned())));
    }
    items
}

/// What is no DER: text that would be PEM if more of it was there, or a part of either.
fn neither(bytes: &[u8]) -> Unfit {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=".contains(byte);
    if bytes.trim_ascii().starts_with(b"MI") && bytes.iter().all(is_base64) {
        let what = "base64 without its lines BEGIN and END".to_owned();
        return Unfit::Other { what, advice: "put these lines around it" };
    }
    Unfit::Damaged(if bytes[0] == SEQUENCE { "it is cut short" } else { "it is neither PEM nor DER" }.to_owned())
}

/// One item, if it is what is wanted from its beginning to its end.
fn whole(der: Vec<u8>, wanted: Wanted) -> Result<Vec<u8>, Unfit> {
    let fault = |rest: Result<usize, String>| match rest {
        Ok(0) => None,
        Ok(_) => Some("something follows it".to_owned()),
        Err(error) => Some(error),
    };
    let certificate_fault =
        || fault(X509Certificate::from_der(&der).map(|(rest, _)| rest.len()).map_err(|error| error.to_string()));
    let list_fault = || {
        fault(CertificateRevocationList::from_der(&der).map(|(rest, _)| rest.len()).map_err(|error| error.to_string()))
    };
    let fault = match wanted {
        Wanted::Certificates => certificate_fault().map(|fault| match list_fault() {
            None => list(),
            Some(_) => Unfit::Damaged(fault),
        }),
        Wanted::Lists => list_fault().map(|fault| match certificate_fault() {
            None => certificate(),
            Some(_) => Unfit::Damaged(fault),
        }),
    };
    fault.map_or(Ok(der), Err)
}

fn certificate() -> Unfit {
    Unfit::Other { what: "a certificate".to_owned(), advice: "put it into a file of certificates (.crt)" }
}

fn list() -> Unfit {
    Unfit::Other { what: "a revocation list".to_owned(), advice: "put it into a file of revocation lists (.crl)" }
}

/// What is known by its label to be something else.
fn other(label: &[u8]) -> Unfit {
    let name = String::from_utf8_lossy(&label[..label.len().min(40)]).escape_debug().to_string();
    match label {
        b"TRUSTED CERTIFICATE" => Unfit::Other {
            what: "a certificate in the form of OpenSSL alone (TRUSTED CERTIFICATE)".to_owned(),
            advice: "write it anew with: openssl x509 -in FILE -out NEW",
        },
        b"PKCS7" | b"CMS" => Unfit::Other {
            what: "a bundle in the form PKCS #7".to_owned(),
            advice: "unpack it with: openssl pkcs7 -print_certs -in FILE -out NEW (with -inform DER if it is no PEM)",
        },
        b"PKCS12" => Unfit::Other {
            what: "a bundle in the form PKCS #12".to_owned(),
            advice: "unpack it with: openssl pkcs12 -nokeys -in FILE -out NEW",
        },
        _ if label.ends_with(b"PRIVATE KEY") => Unfit::Other {
            what: format!("a private key ({name})"),
            advice: "take it out; a key that others could read there is to be replaced",
        },
        _ => Unfit::Other { what: format!("a PEM section of another kind ({name})"), advice: "take it out" },
    }
}
