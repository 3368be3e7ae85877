//! One event of a document: by the shortcut for plain ones, or by the library.

use std::io::{BufRead, Read};

use quick_xml::events::{BytesRef, Event};

use super::super::super::error::{Fault, shown};
use super::super::super::limits::Limit;
use super::super::names::Element;
use super::super::plain;
use super::Cursor;
use super::values::{check, has_control, push_lines};

/// What an event means for the walk, without borrowing from it.
pub(super) enum Step {
    Enter(Element),
    Leave,
    Go,
}

impl<R: Read> Cursor<R> {
    /// Reads one event. `keep`: whether text is wanted; otherwise only blanks are allowed.
    pub(super) fn step(&mut self, keep: bool) -> Result<Step, Fault> {
        if std::mem::take(&mut self.empty) {
            return Ok(self.leave());
        }
        self.xml.get_mut().begin_event();
        match self.plain(keep)? {
            Some(step) => Ok(step),
            None => self.any(keep),
        }
    }

    /// Reads one event if it is of the simplest kind and lies whole in the buffer.
    fn plain(&mut self, keep: bool) -> Result<Option<Step>, Fault> {
        #[cfg(test)]
        if self.unaided {
            return Ok(None);
        }
        if !self.between {
            return Ok(None);
        }
        let bytes = self.xml.get_ref().buffered();
        match bytes {
            [b'<', b'/', rest @ ..] => {
                let Some(name) = self.path.unknown_to_library() else { return Ok(None) };
                if rest.get(name.len()) != Some(&b'>') || !rest.starts_with(name) {
                    return Ok(None);
                }
                let len = name.len() + 3;
                self.xml.get_mut().consume(len);
                Ok(Some(self.leave()))
            }
            [b'<', ..] => {
                let Some(tag) = plain::start(bytes, &mut self.attributes, &self.limits) else {
                    return Ok(None);
                };
                let name = &bytes[1..=tag.name];
                let element = self.path.enter(name, &self.attributes, false, &self.limits);
                let source = self.xml.get_mut();
                source.consume(tag.len);
                source.mark();
                self.empty = tag.empty;
                element.map(|element| Some(Step::Enter(element)))
            }
            _ => {
                let text = match memchr::memchr2(b'<', b'&', bytes) {
                    Some(end) if bytes[end] == b'<' => std::str::from_utf8(&bytes[..end]),
                    _ => return Ok(None),
                };
                let Ok(text) = text else { return Ok(None) };
                if keep && has_control(text) {
                    return Ok(None);
                }
                let (len, wanted) = (text.len(), keep || is_blank(text));
                if keep {
                    push_lines(&mut self.text, text);
                }
                self.xml.get_mut().consume(len);
                if !wanted {
                    return Err(self.stray_text());
                }
                self.limits.check(Limit::Text, len as u64)?;
                self.check_text()?;
                Ok(Some(Step::Go))
            }
        }
    }

    /// Reads one event, whatever it is.
    fn any(&mut self, keep: bool) -> Result<Step, Fault> {
        self.event.clear();
        let event = self.xml.read_event_into(&mut self.event);
        // After text the library has seen the `<` of the next tag, or the `&` of a reference.
        self.between = !matches!(event, Ok(Event::Text(_) | Event::Eof) | Err(_));
        if event.is_ok() {
            self.limits.check(Limit::Text, self.xml.get_ref().event_len())?;
        }
        match event {
            Ok(Event::Start(tag)) => {
                self.attributes.take(&tag, &self.limits)?;
                let name = tag.name();
                let name = name.as_ref().as_bytes();
                let element = self.path.enter(name, &self.attributes, true, &self.limits);
                self.xml.get_mut().mark();
                element.map(Step::Enter)
            }
            Ok(Event::Empty(tag)) => {
                self.attributes.take(&tag, &self.limits)?;
                let name = tag.name();
                let name = name.as_ref().as_bytes();
                let element = self.path.enter(name, &self.attributes, false, &self.limits);
                self.xml.get_mut().mark();
                self.empty = true;
                element.map(Step::Enter)
            }
            Ok(Event::End(tag)) => {
                if tag.name().as_ref().as_bytes() == self.path.last_name() && self.path.depth() > 0
                {
                    return Ok(self.leave());
                }
                let found = tag.name().as_ref().to_owned();
                Err(self.unmatched(found))
            }
            Ok(Event::Text(text)) => {
                let text: &str = &text;
                if keep {
                    text.chars().try_for_each(check)?;
                    push_lines(&mut self.text, text);
                    self.check_text()?;
                } else if !is_blank(text) {
                    return Err(self.stray_text());
                }
                Ok(Step::Go)
            }
            Ok(Event::CData(text)) if keep => {
                text.chars().try_for_each(check)?;
                push_lines(&mut self.text, &text);
                self.check_text()?;
                Ok(Step::Go)
            }
            Ok(Event::GeneralRef(entity)) if keep => {
                self.text.push(character(&entity)?);
                self.check_text()?;
                Ok(Step::Go)
            }
            Ok(Event::CData(_) | Event::GeneralRef(_)) => Err(self.stray_text()),
            Ok(Event::Comment(_) | Event::PI(_)) => Ok(Step::Go),
            Ok(Event::Decl(declaration)) => {
                let name = declaration.encoding().transpose();
                let name = name.map_err(|error| Fault::Xml(shown(&error.to_string())))?;
                match self.xml.get_ref().encoding().allows(name.as_deref()) {
                    true => Ok(Step::Go),
                    false => {
                        Err(Fault::Encoding(format!("in {:?}", shown(&name.unwrap_or_default()))))
                    }
                }
            }
            Ok(Event::DocType(_)) => Err(Fault::Doctype),
            Ok(Event::Eof) => Err(Fault::Truncated),
            Err(error) => Err(self.fault(error)),
        }
    }

    fn leave(&mut self) -> Step {
        self.path.leave();
        Step::Leave
    }

    fn stray_text(&self) -> Fault {
        Fault::Unexpected { what: "text".into(), within: self.within() }
    }

    fn check_text(&self) -> Result<(), Fault> {
        self.limits.check(Limit::Text, self.text.len() as u64)
    }
}

/// The character that a reference stands for: a number, or one of the five of XML.
fn character(entity: &BytesRef<'_>) -> Result<char, Fault> {
    let name: &str = entity;
    let resolved = match entity.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        Ok(None) => match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "apos" => Some('\''),
            "quot" => Some('"'),
            _ => None,
        },
        Err(_) => None,
    };
    let character = resolved.ok_or_else(|| Fault::Entity(shown(name)))?;
    check(character).map(|()| character)
}

pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
