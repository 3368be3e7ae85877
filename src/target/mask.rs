//! Excerpts for messages: enough of an answer to see what went wrong, and no secret in it.

use super::Inputs;
use std::ops::Range;

use super::live::LiveForm;
use super::spelling::{longest, spelt};
use super::template::Escape;

/// Characters shown around the place of interest.
const AROUND: usize = 200;
/// Shortest value of a form's field that is taken for a secret, bytes.
const HIDDEN: usize = 6;
/// A run of letters and digits this long is taken for a token, whoever made it.
const TOKEN: usize = 16;

/// Length of the pieces in which a long secret is looked for, bytes.
const PIECE: usize = 256;

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
        // Any other spelling is found from the value itself.
        for escape in [Escape::Raw, Escape::Base64] {
            let mut written = Vec::new();
            escape.write(value, &mut written);
            for piece in pieces(&written) {
                if !secrets.iter().any(|secret| secret == piece) {
                    secrets.push(piece.to_vec());
                }
            }
        }
    }
    secrets
}

/// A long secret in pieces, cut between characters: each is looked for by itself, so that the work is
/// bounded, and a page that has half of it shows none.
fn pieces(secret: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = secret;
    std::iter::from_fn(move || {
        let mut end = rest.len();
        // The last piece is no shorter than the others: a short one would hide half of every page.
        if end >= 2 * PIECE {
            end = PIECE;
            while end > PIECE - 4 && matches!(rest[end], 0x80..0xC0) {
                end -= 1;
            }
        }
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Some 200 characters of `body` around `landmark` (or from its beginning), on one line, with
/// `secrets`, six digits or more in a row, and whatever looks like a token shown as `***`.
pub(super) fn excerpt(body: &[u8], landmark: &str, secrets: &[Vec<u8>]) -> String {
    if body.is_empty() {
        return "(the body is empty)".to_owned();
    }
    // A hard cap keeps a huge answer cheap.
    let near = memchr::memmem::find(body, landmark.as_bytes()).filter(|_| !landmark.is_empty());
    let start = near.unwrap_or(0).saturating_sub(4 * AROUND);
    let masked = masked(body, start..body.len().min(start + 16 * AROUND), secrets, false);
    let characters: Vec<char> = masked.trim_end().chars().collect();
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
    shown.extend(&characters[low.min(high)..high]);
    if high < characters.len() {
        shown.push('…');
    }
    shown
}

/// `text` on one line, with `secrets`, six digits or more in a row, and whatever looks like a token
/// shown as `***`.
pub(super) fn line(text: &[u8], secrets: &[Vec<u8>]) -> String {
    masked(text, 0..text.len(), secrets, false).trim_end().to_owned()
}

/// The first characters of a body, masked as [`line()`], its line breaks kept; how many characters
/// were left out is said at the end.
pub(super) fn text(body: &[u8], secrets: &[Vec<u8>], limit: usize) -> String {
    let cap = body.len().min(limit.saturating_mul(8));
    let whole = masked(body, 0..cap, secrets, true);
    let lines: Vec<&str> =
        whole.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    let whole = lines.join("\n");
    let mut shown: String = whole.chars().take(limit).collect();
    if shown.len() < whole.len() || body.len() > cap {
        shown.push_str(&format!(" … ({} bytes in all)", body.len()));
    }
    shown
}

/// What of `body` lies in `window`, white space of any kind as one space, and what must not be seen
/// as `***`.
fn masked(body: &[u8], window: Range<usize>, secrets: &[Vec<u8>], lines: bool) -> String {
    let mut out = String::new();
    let mut at = window.start;
    for hidden in hidden(body, &window, secrets) {
        show(&body[at..hidden.start.max(at)], lines, &mut out);
        out.push_str("***");
        at = hidden.end;
    }
    show(body.get(at..window.end).unwrap_or_default(), lines, &mut out);
    out
}

/// The places that touch `window` and must not be seen, in order, apart from each other. They are
/// looked for in the bytes as they came: what is masked already would break a token in two.
fn hidden(body: &[u8], window: &Range<usize>, secrets: &[Vec<u8>]) -> Vec<Range<usize>> {
    // A secret that the window would cut in half must be known from its beginning.
    let margin = secrets.iter().map(|secret| longest(secret.len())).max().unwrap_or_default();
    let start = window.start.saturating_sub(margin);
    let end = body.len().min(window.end.saturating_add(margin));
    // Where two begin within each other, all of both is hidden.
    let here = |at: usize| secrets.iter().filter_map(|one| spelt(one, &body[at..end])).max();
    let mut places =
        apart((start..end).filter_map(|at| here(at).map(|length| at..at + length)).collect());
    let touches = |run: &Range<usize>| {
        let next = places.partition_point(|place| place.end <= run.start);
        places.get(next).is_some_and(|place| place.start < run.end)
    };
    // A run of which a part is secret is secret as a whole: it may be a token that has it by chance.
    let wholly: Vec<Range<usize>> =
        runs(body, start..end).filter(|run| is_token(&body[run.clone()]) || touches(run)).collect();
    places.extend(wholly);
    let mut places = apart(places);
    places.retain(|place| place.end > window.start && place.start < window.end);
    places
}

/// The same places in order, those that meet as one.
fn apart(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| place.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for place in places {
        match apart.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

/// Letters and digits in a row, as far as they go.
fn runs(body: &[u8], window: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let of_a_run = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
    let before = body[..window.start].iter().rev().take_while(|byte| of_a_run(byte)).count();
    let after = body[window.end..].iter().take_while(|byte| of_a_run(byte)).count();
    let end = window.end + after;
    let mut at = window.start - before;
    std::iter::from_fn(move || {
        at += body[at..end].iter().take_while(|byte| !of_a_run(byte)).count();
        let start = at;
        at += body[at..end].iter().take_while(|byte| of_a_run(byte)).count();
        (start < at).then_some(start..at)
    })
}

/// Adds `bytes` as text; nothing may steer the reader's terminal.
fn show(bytes: &[u8], lines: bool, out: &mut String) {
    for character in String::from_utf8_lossy(bytes).chars() {
        if lines && character == '\n' {
            out.push('\n');
        } else if !(character.is_whitespace() || character.is_control()) {
            out.push(character);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

fn is_token(run: &[u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let longest = run.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).max();
    longest >= Some(6) || run.len() >= TOKEN && digits > 0 || run.len() >= 2 * TOKEN
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
    #[test]
    fn a_token_is_not_cut_into_pieces_by_a_secret_that_it_holds_by_chance() {
        let captured = [Some(Box::from(&b"7"[..]))];
        let secrets = secrets(&Inputs::default(), &captured);
        let page = b"{\"sid\":\"a7b8c7d9e0f1a2b3c4\",\"n\":7,\"page7\":[8]}";
        assert_eq!(line(page, &secrets), "{\"sid\":\"***\",\"n\":***,\"***\":[8]}");
        assert_eq!(line(b"no secret", &secrets), "no secret");
    }

    #[test]
    fn accents_are_hidden_in_every_spelling() {
        let inputs = Inputs { pin: "clé9", ..Inputs::default() };
        let captured = [Some(Box::from("état".as_bytes()))];
        let secrets = secrets(&inputs, &captured);
        let page = b"{cl\\u00e99 \\u00E9tat} cl%c3%a99 %C3%A9tat cl&#233;9 &eacute;tat &#xE9;tat \xe9tat end";
        assert_eq!(line(page, &secrets), "{*** ***} *** *** *** *** *** *** end");
    }

    #[test]
    fn a_secret_at_the_edge_of_what_is_shown_is_not_cut() {
        let secret = "ab cd,".repeat(300);
        let captured = [Some(Box::from(secret.as_bytes()))];
        let secrets = secrets(&Inputs::default(), &captured);
        let page = format!("{secret}<b name=csrf>{}{secret}", ". ".repeat(700));
        let shown = excerpt(page.as_bytes(), "csrf", &secrets);
        assert!(shown.starts_with("…***<b name=csrf>. ."), "{shown}");
        let shown = text(page.as_bytes(), &secrets, 400);
        assert!(shown.starts_with("***<b name=csrf>. .") && !shown.contains("cd"), "{shown}");
        assert!(!excerpt(page.as_bytes(), "", &secrets).contains("cd"));
    }

    #[test]
    fn lines_are_kept_where_asked_and_a_secret_over_two_of_them_is_one() {
        let secrets = vec![b"a\nb".to_vec()];
        assert_eq!(text(b"x \n\n y\ta\nb\r\nz", &secrets, 100), "x\n y ***\nz");
    }
}
