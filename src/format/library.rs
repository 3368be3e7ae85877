//! The definitions in the binary.

use super::compile::Format;
use crate::definition::{DefinitionError, Library};

/// Every format there is: in the binary, in the user's folder, or by path.
pub const LIBRARY: Library = Library {
    kind: "format",
    folder: "formats",
    embedded: &[
        ("csv", include_str!("../../formats/csv.toml")),
        ("deepnet-csv", include_str!("../../formats/deepnet-csv.toml")),
        ("deepnet-xml", include_str!("../../formats/deepnet-xml.toml")),
        ("entra-csv", include_str!("../../formats/entra-csv.toml")),
        ("feitian-csv", include_str!("../../formats/feitian-csv.toml")),
        ("jsonl", include_str!("../../formats/jsonl.toml")),
        ("nitrocli", include_str!("../../formats/nitrocli.toml")),
        ("nitropy", include_str!("../../formats/nitropy.toml")),
        ("otpauth-uri", include_str!("../../formats/otpauth-uri.toml")),
        ("pam-oath", include_str!("../../formats/pam-oath.toml")),
        ("privacyidea-csv", include_str!("../../formats/privacyidea-csv.toml")),
        ("privacyidea-csv-users", include_str!("../../formats/privacyidea-csv-users.toml")),
        ("pskc", include_str!("../../formats/pskc.toml")),
        ("yk-ksm", include_str!("../../formats/yk-ksm.toml")),
        ("ykman", include_str!("../../formats/ykman.toml")),
        ("yubico-csv", include_str!("../../formats/yubico-csv.toml")),
        ("yubico-log", include_str!("../../formats/yubico-log.toml")),
    ],
};

impl Format {
    /// Finds and compiles the format `wanted`: a name, or a path.
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub fn load(wanted: &str) -> Result<Self, DefinitionError> {
        Self::compile(&LIBRARY.find(wanted)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_embedded_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/formats");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        let embedded: Vec<&str> = LIBRARY.embedded.iter().map(|(name, _)| *name).collect();
        assert_eq!(embedded, files);
    }

    #[test]
    fn every_example_of_every_definition_holds() {
        for (name, _) in LIBRARY.embedded {
            let format = Format::load(name).unwrap_or_else(|error| panic!("{error}"));
            if let Err(failures) = format.check_examples() {
                panic!("{}", failures.join("\n"));
            }
            if let Some(other) = format.with_roster() {
                Format::load(other).unwrap();
            }
        }
    }
}
