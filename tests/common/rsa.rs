//! The template for portals of the RSA kind, made to fit the embedded server.

/// The template `rsa-am-web` with the names and marks of the embedded server's pages.
pub(crate) fn with_names_of_ours(template: &str) -> String {
    let mut mine = template.to_owned();
    let resync = "form_from = \"page\"\nform = { password = \"{code}\" }";
    for (theirs, ours) in [
        ("/login/ct_logon.jsp?CTAuthMode=SECURID&CT_ORIG_URL=%2F", "/login"),
        (resync, &resync.replace("password", "code")),
        ("password = \"{code}\"", "passcode = \"{code}\""),
        ("password = \"{passcode}\"", "passcode = \"{passcode}\""),
        ("new_pin = \"{new_pin}\"", "pin = \"{new_pin}\""),
        ("new_pin2 = ", "pin2 = "),
        // Here a step is answered by a redirect to the next page.
        ("form_from = \"page\"", "form_from = \"page\"\nfollow = true"),
        ("attendez que le code change", "attendez que le code de votre"),
        ("prochain (token)?code", "l.horloge de votre clé est décalée"),
        // A refusal shows the form again, be it that of the next code.
        (
            "status = [200, 401, 403]\ncontains = \"auth_mode\"",
            "status = 200\ncontains = 'name=\"user\"'\n\n\
             [[verdict.rule]]\nverdict = \"rejected\"\nstatus = [401, 403, 409]",
        ),
        (
            "status = \"3xx\"\nheader = { name = \"set-cookie\", contains = \"CTSESSION=\" }",
            "status = 200\ncontains = 'action=\"/logout\"'",
        ),
    ] {
        assert!(mine.contains(theirs), "{theirs} is not in the template");
        mine = mine.replace(theirs, ours);
    }
    // Its examples speak of the other names.
    mine.truncate(mine.find("[[example]]").unwrap());
    mine
}
