//! Base64 between two lines (RFC 7468).

use data_encoding::BASE64;
use zeroize::Zeroizing;

/// The content of the first block of `text` that is called one of `labels`.
pub(super) fn decode(text: &str, labels: &[&str]) -> Option<Zeroizing<Vec<u8>>> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once(&format!("-----END {label}-----"))?;
        if labels.contains(&label) {
            let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
            base64.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
            return BASE64.decode(base64.as_bytes()).ok().map(Zeroizing::new);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_asked_for_is_found_among_others() {
        let text = "remark\n-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n\
                    -----BEGIN EC PRIVATE KEY-----\r\naGVs\r\nbG8=\r\n-----END EC PRIVATE KEY-----\n";
        assert_eq!(decode(text, &["EC PRIVATE KEY"]).unwrap().as_slice(), b"hello");
        assert!(decode(text, &["PRIVATE KEY"]).is_none());
        assert!(decode(&text.replace("aGVs", "aG*s"), &["EC PRIVATE KEY"]).is_none());
        assert!(decode("-----BEGIN X-----\nAAAA", &["X"]).is_none());
    }
}
