//! Excerpts for messages: enough of an answer to see what went wrong, and no secret in it.

use super::Inputs;
use super::live::LiveForm;
use super::template::Escape;

/// Characters shown around the place of interest.
const AROUND: usize = 200;
/// Shortest value of a form's field that is taken for a secret, bytes.
const HIDDEN: usize = 6;
/// A run of letters and digits this long is taken for a token, whoever made it.
const TOKEN: usize = 16;

/// What must not be shown.
pub(super) fn secrets(inputs: &Inputs<'_>, captured: &[Option<Box<[u8]>>]) -> Vec<Vec<u8>> {
    let Inputs { user: _, code, pin, passcode, new_pin, new_pin_confirmation } = *inputs;
    let typed = [passcode, new_pin_confirmation, new_pin, code, pin].map(str::as_bytes);
    let mut secrets = Vec::new();
    let captured = || captured.iter().flatten().map(AsRef::as_ref);
    // Of a form, what may be a token: `on` and `POST` would mask half of every page.
    let forms: Vec<LiveForm> = captured().filter_map(LiveForm::read).collect();
    let fields = forms.iter().flat_map(LiveForm::values).filter(|value| value.len() >= HIDDEN);
    let fields = fields.map(str::as_bytes);
    for value in typed.into_iter().chain(captured()).chain(fields) {
        if value.is_empty() {
            continue;
        }
        for escape in
            [Escape::Raw, Escape::Form, Escape::Path, Escape::Json, Escape::Xml, Escape::Base64]
        {
            let mut written = Vec::new();
            escape.write(value, &mut written);
            if !secrets.contains(&written) {
                secrets.push(written);
            }
        }
    }
    // The longest first: a PIN inside a PASSCODE must not leave the code behind.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// Some 200 characters of `body` around `landmark` (or from its beginning), on one line, with
/// `secrets`, six digits or more in a row, and whatever looks like a token shown as `***`.
pub(super) fn excerpt(body: &[u8], landmark: &str, secrets: &[Vec<u8>]) -> String {
    if body.is_empty() {
        return "(the body is empty)".to_owned();
    }
    // A hard cap keeps a huge answer cheap; secrets are masked before the cut, which might
    // otherwise leave half of one.
    let near = memchr::memmem::find(body, landmark.as_bytes()).filter(|_| !landmark.is_empty());
    let start = near.unwrap_or(0).saturating_sub(4 * AROUND);
    let body = &body[start..body.len().min(start + 16 * AROUND)];
    let masked = masked(&without(body, secrets));
    let characters: Vec<char> = masked.chars().collect();
    let at = masked
        .find(landmark)
        .filter(|_| near.is_some())
        .map_or(0, |at| masked[..at].chars().count());
    let low = at.saturating_sub(AROUND / 2);
    let high = (low + AROUND).min(characters.len());
    let mut shown = String::new();
    if start + low > 0 {
        shown.push('…');
    }
    shown.extend(&characters[low..high]);
    if high < characters.len() {
        shown.push('…');
    }
    shown
}

/// `text` on one line, with `secrets`, six digits or more in a row, and whatever looks like a token
/// shown as `***`.
pub(super) fn line(text: &[u8], secrets: &[Vec<u8>]) -> String {
    masked(&without(text, secrets))
}

/// The first characters of a body, masked as [`line()`], its line breaks kept; how many characters
/// were left out is said at the end.
pub(super) fn text(body: &[u8], secrets: &[Vec<u8>], limit: usize) -> String {
    // Secrets are masked before the cut, which might otherwise leave half of one; a hard cap keeps
    // a huge answer cheap.
    let cap = limit.saturating_mul(8);
    let whole = without(&body[..body.len().min(cap)], secrets);
    let lines: Vec<String> = whole
        .split(|byte| *byte == b'\n')
        .map(masked)
        .filter(|line| !line.trim().is_empty())
        .collect();
    let whole = lines.join("\n");
    let mut shown: String = whole.chars().take(limit).collect();
    if shown.len() < whole.len() || body.len() > cap {
        shown.push_str(&format!(" … ({} bytes in all)", body.len()));
    }
    shown
}

fn without(body: &[u8], secrets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(first) = rest.first() {
        match secrets.iter().find(|secret| rest.starts_with(secret)) {
            Some(secret) => {
                out.extend_from_slice(b"***");
                rest = &rest[secret.len()..];
            }
            None => {
                out.push(*first);
                rest = &rest[1..];
            }
        }
    }
    out
}

fn masked(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut out = String::new();
    let mut run = String::new();
    for character in text.chars().chain([' ']) {
        if character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '+') {
            run.push(character);
            continue;
        }
        out.push_str(if is_token(&run) { "***" } else { &run });
        run.clear();
        // White space of any kind becomes one space; nothing may steer the reader's terminal.
        if character.is_whitespace() || character.is_control() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(character);
        }
    }
    out.trim_end().to_owned()
}

fn is_token(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let longest = run
        .split(|character: char| !character.is_ascii_digit())
        .map(str::len)
        .max()
        .unwrap_or_default();
    longest >= 6 || run.len() >= TOKEN && digits > 0 || run.len() >= 2 * TOKEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown_however_it_is_written() {
        let inputs = Inputs {
            user: "dupont",
            code: "159753",
            pin: "a&<b",
            passcode: "a&<b159753",
            ..Inputs::default()
        };
        let captured = [Some(Box::from(&b"csrfvalue"[..])), None];
        let secrets = secrets(&inputs, &captured);
        let page = b"<p>dupont a&amp;&lt;b159753 a%26%3Cb a&<b 159753 csrfvalue \
            sid=0123456789abcdef0123 code 424242</p>";
        assert_eq!(
            excerpt(page, "", &secrets),
            "<p>dupont *** *** *** *** *** sid=*** code ***</p>"
        );
    }

    #[test]
    fn the_surroundings_of_the_landmark_are_shown() {
        let page =
            format!("{}<b name=\"csrf_new\">\x1b[31m\n\n{}", "x ".repeat(900), "y ".repeat(900));
        let shown = excerpt(page.as_bytes(), "csrf", &[]);
        assert!(shown.contains("<b name=\"csrf_new\"> [31m y y"), "{shown}");
        assert!(shown.starts_with('…') && shown.ends_with('…'));
        assert_eq!(shown.chars().count(), 202);
        assert_eq!(excerpt(b"", "csrf", &[]), "(the body is empty)");
        assert_eq!(excerpt(b"caf\xe9", "csrf", &[]), "caf\u{fffd}");
    }
}
