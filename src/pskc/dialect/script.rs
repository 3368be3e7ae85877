//! Elements that are given out without being in the file.

use std::collections::VecDeque;

use zeroize::Zeroizing;

use super::super::error::Fault;
use super::super::xml::Element;

/// One step of a walk.
#[derive(Debug)]
pub(super) enum Event {
    /// An element that is made up, with its attributes.
    Enter(Element, Vec<(&'static str, String)>),
    /// The text of the element entered before it.
    Text(Zeroizing<String>),
    Leave,
    /// The element of the file that was entered last; the file is then walked on within it.
    Real(Element),
}

/// What is to be given out, in this order.
#[derive(Default)]
pub(super) struct Script {
    events: VecDeque<Event>,
    /// Attributes of the element last entered, if it is made up.
    entered: Option<Vec<(&'static str, String)>>,
    text: Zeroizing<String>,
}

impl Script {
    pub(super) fn enter(&mut self, element: Element, attributes: Vec<(&'static str, String)>) {
        self.events.push_back(Event::Enter(element, attributes));
    }

    pub(super) fn leave(&mut self) {
        self.events.push_back(Event::Leave);
    }

    /// An element with nothing but a text.
    pub(super) fn text_of(&mut self, element: Element, text: Zeroizing<String>) {
        self.enter(element, Vec::new());
        self.events.push_back(Event::Text(text));
        self.leave();
    }

    /// Elements with nothing but a text, one after the other.
    pub(super) fn texts(&mut self, facts: Vec<(Element, String)>) {
        for (element, text) in facts {
            self.text_of(element, Zeroizing::new(text));
        }
    }

    /// The element of the file that was entered last.
    pub(super) fn real(&mut self, element: Element) {
        self.events.push_back(Event::Real(element));
    }

    /// The next step; `None` when the file is to be read on.
    pub(super) fn next(&mut self) -> Option<Event> {
        let mut event = self.events.pop_front();
        self.entered = match &mut event {
            Some(Event::Enter(_, attributes)) => Some(std::mem::take(attributes)),
            _ => None,
        };
        event
    }

    /// Whether the element last entered is made up.
    pub(super) fn entered(&self) -> bool {
        self.entered.is_some()
    }

    /// An attribute of the element last entered.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let attributes = self.entered.iter().flatten();
        attributes.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }

    /// The text of the element last entered, which is left.
    pub(super) fn text(&mut self) -> Result<&str, Fault> {
        self.text = Zeroizing::default();
        loop {
            match self.next() {
                Some(Event::Text(text)) => self.text = text,
                Some(Event::Leave) => return Ok(&self.text),
                Some(Event::Enter(element, _) | Event::Real(element)) => {
                    return Err(Fault::Unexpected {
                        what: format!("<{}>", element.name()),
                        within: "a text",
                    });
                }
                None => return Err(Fault::Truncated),
            }
        }
    }

    /// Leaves the element last entered, whatever it still holds.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some(Event::Enter(..)) => depth += 1,
                Some(Event::Leave) => depth -= 1,
                Some(Event::Text(_)) => {}
                Some(Event::Real(element)) => {
                    return Err(Fault::Unexpected {
                        what: format!("<{}>", element.name()),
                        within: "what is left out",
                    });
                }
                None => return Err(Fault::Truncated),
            }
        }
        Ok(())
    }
}
