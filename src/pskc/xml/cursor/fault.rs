//! What the library found wrong, in our words and at its place.

use std::io::Read;

use quick_xml::errors::{IllFormedError, SyntaxError};

use super::super::super::error::{Fault, shown};
use super::super::super::limits::Limit;
use super::super::source::Stop;
use super::Cursor;

impl<R: Read> Cursor<R> {
    /// The fault that `error` stands for; messages then point to where it showed.
    pub(super) fn fault(&mut self, error: quick_xml::Error) -> Fault {
        use quick_xml::Error as Xml;
        if let Some(stop) = self.xml.get_mut().take_failure() {
            return match stop {
                Stop::Io(error) => Fault::Io(error),
                Stop::Encoding(what) => Fault::Encoding(what.into()),
                Stop::TooLong => self.limits.exceeded(Limit::Text),
            };
        }
        self.xml.get_mut().mark();
        match error {
            // `<!DOCTYPE` and other bang markup that is no comment and no CDATA.
            Xml::Syntax(SyntaxError::UnclosedDoctype | SyntaxError::InvalidBangMarkup)
            | Xml::IllFormed(IllFormedError::MissingDoctypeName) => Fault::Doctype,
            Xml::Syntax(_)
            | Xml::IllFormed(
                IllFormedError::MissingEndTag(_) | IllFormedError::UnclosedReference,
            ) => Fault::Truncated,
            Xml::Encoding(_) => Fault::Encoding("not valid UTF-8".into()),
            error => Fault::Xml(shown(&error.to_string())),
        }
    }

    /// There is an end tag that ends nothing, or not the open element.
    pub(super) fn unmatched(&mut self, found: String) -> Fault {
        if self.path.depth() == 0 {
            return self.fault(IllFormedError::UnmatchedEndTag(found).into());
        }
        let expected = String::from_utf8_lossy(self.path.last_name()).into_owned();
        self.fault(IllFormedError::MismatchedEndTag { expected, found }.into())
    }
}
