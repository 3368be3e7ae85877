//! `--set path=value`: one scalar of a scenario replaced from the command line.

use toml::{Table, Value};

/// Replaces the scalar at `path` (`people.typo`, `arrivals.curve.1.rate`) by `text`, which must be
/// of the same type. A path whose last part is not in the file yet is added: when the scenario
/// knows no such key, reading it refuses it afterwards.
///
/// # Errors
/// What is wrong with `setting`, naming the path.
pub(super) fn apply(table: &mut Table, setting: &str) -> Result<(), String> {
    let Some((path, text)) = setting.split_once('=') else {
        return Err(format!("--set {setting:?} has no \"=\": write --set path=value"));
    };
    let (path, text) = (path.trim(), text.trim());
    let parts: Vec<&str> = path.split('.').collect();
    let Some((last, parents)) = parts.split_last().filter(|_| parts.iter().all(|p| !p.is_empty()))
    else {
        return Err(format!("--set: {path:?} is no path: write e.g. people.typo=0.05"));
    };
    let unknown = |part: &str| format!("--set {path}: there is no {part:?} in the scenario");
    let mut place: Option<&mut Value> = None;
    for part in parents {
        let next = match place {
            None => table.get_mut(*part),
            Some(value) => inside(value, part),
        };
        place = Some(next.ok_or_else(|| unknown(part))?);
    }
    let old = match place {
        None => table.entry((*last).to_owned()),
        Some(Value::Table(inner)) => inner.entry((*last).to_owned()),
        Some(other) => {
            let old = inside(other, last).ok_or_else(|| unknown(last))?;
            *old = typed(path, text, Some(old))?;
            return Ok(());
        }
    };
    match old {
        toml::map::Entry::Occupied(mut old) => {
            let new = typed(path, text, Some(old.get()))?;
            old.insert(new);
        }
        toml::map::Entry::Vacant(empty) => {
            empty.insert(typed(path, text, None)?);
        }
    }
    Ok(())
}

fn inside<'a>(value: &'a mut Value, part: &str) -> Option<&'a mut Value> {
    match value {
        Value::Table(table) => table.get_mut(part),
        Value::Array(array) => array.get_mut(part.parse::<usize>().ok()?),
        _ => None,
    }
}

fn typed(path: &str, text: &str, old: Option<&Value>) -> Result<Value, String> {
    let wrong =
        |kind: &str| format!("--set {path}: {text:?} is not {kind}, as the scenario has there");
    let new = match old {
        Some(Value::Integer(_)) => text.parse().map(Value::Integer).ok(),
        Some(Value::Float(_)) => text.parse().map(Value::Float).ok(),
        Some(Value::Boolean(_)) => text.parse().map(Value::Boolean).ok(),
        Some(Value::String(_)) => Some(Value::String(text.trim_matches('"').to_owned())),
        Some(Value::Table(_) | Value::Array(_)) => {
            return Err(format!(
                "--set {path}: there is a whole table or list there; set one value in it"
            ));
        }
        _ => Some(guess(text)),
    };
    new.ok_or_else(|| {
        wrong(match old {
            Some(Value::Integer(_)) => "a whole number",
            Some(Value::Boolean(_)) => "true or false",
            _ => "a number",
        })
    })
}

fn guess(text: &str) -> Value {
    if let Ok(number) = text.parse() {
        Value::Integer(number)
    } else if let Ok(number) = text.parse() {
        Value::Float(number)
    } else if let Ok(truth) = text.parse() {
        Value::Boolean(truth)
    } else {
        Value::String(text.trim_matches('"').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        toml::from_str("[a]\nn = 1\nf = 0.5\nt = '9s'\nb = true\nlist = [{ rate = 1 }]\n").unwrap()
    }

    #[test]
    fn replaces_scalars_of_every_type() {
        let mut t = table();
        for setting in ["a.n=7", "a.f = 1", "a.t=2m", "a.b=false", "a.list.0.rate=4", "a.new=3"] {
            apply(&mut t, setting).unwrap();
        }
        let a = &t["a"];
        assert_eq!(a["n"], Value::Integer(7));
        assert_eq!(a["f"], Value::Float(1.0));
        assert_eq!(a["t"].as_str(), Some("2m"));
        assert_eq!(a["b"], Value::Boolean(false));
        assert_eq!(a["list"][0]["rate"], Value::Integer(4));
        assert_eq!(a["new"], Value::Integer(3));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (setting, part) in [
            ("a.n", "has no \"=\""),
            ("a..n=1", "is no path"),
            ("x.n=1", "there is no \"x\""),
            ("a.list.3.rate=1", "there is no \"3\""),
            ("a.n=two", "not a whole number"),
            ("a.b=1", "not true or false"),
            ("a.f=x", "not a number"),
            ("a.list=1", "a whole table or list"),
        ] {
            let error = apply(&mut table(), setting).unwrap_err();
            assert!(error.contains(part), "{setting}: {error}");
        }
    }
}
