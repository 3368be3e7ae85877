//! The words of the pages, in French as on the leaflet, and in English for who asks for it.

use serde::Serialize;

use super::pin::PinFault;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    French,
    English,
}

impl Lang {
    /// The best of an `Accept-Language` header (RFC 9110 §12.5.4): English only if it is asked for
    /// more than French.
    pub(super) fn negotiate(header: Option<&str>) -> Self {
        let mut best = (0.0, Self::French);
        for range in header.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            let lang = match tag.split('-').next() {
                Some("fr") => Self::French,
                Some("en") => Self::English,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, lang);
            }
        }
        best.1
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::French => &FRENCH,
            Self::English => &ENGLISH,
        }
    }
}

/// Every sentence of the pages.
#[derive(Debug, Serialize)]
pub(super) struct Words {
    pub(super) lang: &'static str,
    site: &'static str,
    title_login: &'static str,
    title_otp: &'static str,
    title_portal: &'static str,
    user: &'static str,
    passcode: &'static str,
    submit: &'static str,
    first_time: &'static str,
    first_time_how: &'static str,
    every_time: &'static str,
    every_time_how: &'static str,
    once: &'static str,
    step_2: &'static str,
    new_pin: &'static str,
    confirm_pin: &'static str,
    pin_advice: &'static str,
    step_3: &'static str,
    wait_then_passcode: &'static str,
    passcode_is: &'static str,
    wait_then_code: &'static str,
    code_alone: &'static str,
    bars: &'static str,
    welcome: &'static str,
    applications: [&'static str; 4],
    example: &'static str,
    logout: &'static str,
    back: &'static str,
    pub(super) rejected: &'static str,
    pub(super) forged: Notice,
    pub(super) out_of_order: Notice,
    pub(super) malformed: Notice,
    pub(super) too_large: Notice,
    pub(super) unavailable: Notice,
    pub(super) not_found: Notice,
    pin_length: &'static str,
    pin_character: &'static str,
    pins_differ: &'static str,
}

/// A page that only says something.
#[derive(Debug, Serialize)]
pub(super) struct Notice {
    title: &'static str,
    text: &'static str,
}

impl Words {
    /// Why a PIN was not taken.
    pub(super) fn pin_fault(&self, fault: PinFault) -> &'static str {
        match fault {
            PinFault::Length => self.pin_length,
            PinFault::Character => self.pin_character,
            PinFault::Differ => self.pins_differ,
        }
    }
}

static FRENCH: Words = Words {
    lang: "fr",
    site: "Accès par clé OTP",
    title_login: "Authentification",
    title_otp: "Authentification de type OTP",
    title_portal: "Accédez à vos applications",
    user: "Identifiant",
    passcode: "Mot de passe ou Passcode OTP",
    submit: "Valider",
    first_time: "Première connexion",
    first_time_how: "saisissez les chiffres affichés sur votre clé.",
    every_time: "Ensuite",
    every_time_how: "saisissez votre PASSCODE, c’est-à-dire votre code PIN suivi des chiffres affichés.",
    once: "Chaque code n’est utilisable qu’une seule fois : dans une même minute, n’essayez pas de saisir le même code, attendez le suivant.",
    step_2: "Étape 2 sur 3",
    new_pin: "Saisissez votre nouveau code PIN, contenant de 4 à 6 caractères",
    confirm_pin: "Confirmez votre nouveau code PIN",
    pin_advice: "Lettres, chiffres ou signes, sans espace. Vous le saisirez à chaque connexion : ne le notez pas sur la clé.",
    step_3: "Étape 3 sur 3",
    wait_then_passcode: "Attendez que le code de votre clé change, puis saisissez votre PASSCODE",
    passcode_is: "PASSCODE : votre code PIN suivi du nouveau numéro affiché sur la clé.",
    wait_then_code: "L’horloge de votre clé est décalée. Attendez que le code change, puis saisissez le nouveau",
    code_alone: "Les chiffres affichés sur la clé seulement, sans code PIN : avec deux codes qui se suivent, le serveur se règle sur votre clé.",
    bars: "5 barres : le numéro vient de s’afficher ; 1 barre : il va bientôt changer.",
    welcome: "Vous êtes connecté avec l’identifiant",
    applications: [
        "Messagerie",
        "Emploi du temps",
        "Notes et évaluations",
        "Dossier administratif",
    ],
    example: "Exemple",
    logout: "Se déconnecter",
    back: "Revenir à la page d’authentification",
    rejected: "Identifiant ou PASSCODE refusé. Attendez que le code de votre clé change, puis recommencez. Après plusieurs refus, l’accès est suspendu quelques minutes.",
    forged: Notice {
        title: "Formulaire périmé",
        text: "Cette page n’est plus valable. Rien n’a été envoyé : revenez à la page d’authentification et recommencez.",
    },
    out_of_order: Notice {
        title: "Étape indisponible",
        text: "Cette étape est terminée, a expiré ou n’a pas commencé. Revenez à la page d’authentification.",
    },
    malformed: Notice {
        title: "Demande illisible",
        text: "Le formulaire reçu est incomplet. Revenez à la page d’authentification et recommencez.",
    },
    too_large: Notice {
        title: "Demande trop longue",
        text: "Le formulaire reçu dépasse la taille permise. Revenez à la page d’authentification.",
    },
    unavailable: Notice {
        title: "Service indisponible",
        text: "Votre demande n’a pas pu être enregistrée. Attendez que le code de votre clé change, puis recommencez.",
    },
    not_found: Notice { title: "Page introuvable", text: "Cette page n’existe pas." },
    pin_length: "Le code PIN doit contenir de 4 à 6 caractères.",
    pin_character: "Le code PIN contient une espace ou un caractère invisible.",
    pins_differ: "Les deux codes PIN sont différents.",
};

static ENGLISH: Words = Words {
    lang: "en",
    site: "OTP key access",
    title_login: "Authentication",
    title_otp: "OTP authentication",
    title_portal: "Your applications",
    user: "User id",
    passcode: "Password or OTP passcode",
    submit: "Submit",
    first_time: "First connection",
    first_time_how: "enter the digits shown on your key.",
    every_time: "Afterwards",
    every_time_how: "enter your PASSCODE, that is your PIN followed by the digits shown.",
    once: "Each code can be used only once: within the same minute, do not enter the same code again, wait for the next.",
    step_2: "Step 2 of 3",
    new_pin: "Enter your new PIN, of 4 to 6 characters",
    confirm_pin: "Confirm your new PIN",
    pin_advice: "Letters, digits or signs, no blanks. You will enter it at every login: do not write it on the key.",
    step_3: "Step 3 of 3",
    wait_then_passcode: "Wait until the code of your key changes, then enter your PASSCODE",
    passcode_is: "PASSCODE: your PIN followed by the new number shown on the key.",
    wait_then_code: "The clock of your key is off. Wait until the code changes, then enter the new one",
    code_alone: "Only the digits shown on the key, without the PIN: by two codes in a row the server follows your key.",
    bars: "5 bars: the number has just appeared; 1 bar: it is about to change.",
    welcome: "You are logged in as",
    applications: ["Mail", "Timetable", "Marks and reports", "Personal file"],
    example: "Example",
    logout: "Log out",
    back: "Back to the authentication page",
    rejected: "User id or PASSCODE refused. Wait until the code of your key changes, then try again. After several refusals access is suspended for some minutes.",
    forged: Notice {
        title: "The form is out of date",
        text: "This page is no longer valid. Nothing was sent: go back to the authentication page and try again.",
    },
    out_of_order: Notice {
        title: "Step not available",
        text: "This step is over, has expired or has not begun. Go back to the authentication page.",
    },
    malformed: Notice {
        title: "Request not understood",
        text: "The form received is incomplete. Go back to the authentication page and try again.",
    },
    too_large: Notice {
        title: "Request too long",
        text: "The form received exceeds the size allowed. Go back to the authentication page.",
    },
    unavailable: Notice {
        title: "Service unavailable",
        text: "Your request could not be recorded. Wait until the code of your key changes, then try again.",
    },
    not_found: Notice { title: "Page not found", text: "There is no such page." },
    pin_length: "The PIN must have 4 to 6 characters.",
    pin_character: "The PIN holds a blank or an invisible character.",
    pins_differ: "The two PINs differ.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_unless_english_is_preferred() {
        for (header, lang) in [
            (None, "fr"),
            (Some(""), "fr"),
            (Some("de"), "fr"),
            (Some("en"), "en"),
            (Some("en-GB,en;q=0.9"), "en"),
            (Some("fr;q=0.8, en;q=0.9"), "en"),
            (Some("en;q=0.5,fr"), "fr"),
            (Some("de-DE,de;q=0.9,en;q=0.3"), "en"),
            (Some("en;q=oops"), "fr"),
        ] {
            assert_eq!(Lang::negotiate(header).words().lang, lang, "{header:?}");
        }
    }
}
