//! Variables that no secret may set, or only with the operator's leave.

use plan::{RESERVED_VARIABLES as RESERVED, VariableName, runs_code};

use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;

/// What is wrong with the name, and the remedy.
pub(super) fn refused(
    name: &VariableName,
    settings: &Settings,
    comparisons: &mut Comparisons,
) -> Option<(String, String)> {
    let name = name.as_str();
    // No program reads them in another case, but a person who reads the Pod would take them for ours.
    if name.to_ascii_uppercase().starts_with(RESERVED) {
        let remedy = "give the variable another name".to_owned();
        return Some((format!("names that begin with {RESERVED} are ours"), remedy));
    }
    let only = settings.only_variables();
    if only.is_some_and(|only| !only.iter().any(|pattern| comparisons.matches(pattern, name))) {
        return Some((
            "the operator allows no variable of this name to be set from a secret".to_owned(),
            "use another name, or ask the operator to add it to onlyVariables in the settings"
                .to_owned(),
        ));
    }
    let leave = settings.allowed_variables().iter().any(|allowed| allowed.as_str() == name);
    (runs_code(name) && !leave).then(|| {
        (
            "with this variable, whoever writes the secret can run code in the container"
                .to_owned(),
            "use another name, or ask the operator to add it to allowedVariables in the settings"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::of_flags;

    fn refused(name: &str, settings: &Settings) -> bool {
        let name = VariableName::parse(name).unwrap();
        super::refused(&name, settings, &mut Comparisons::default()).is_some()
    }

    #[test]
    fn names_that_run_code_need_the_operators_leave() {
        let settings = Settings::default();
        assert!(refused("NODE_OPTIONS", &settings) && !refused("DB_PASSWORD", &settings));
        let settings = of_flags(&["allowedVariables=NODE_OPTIONS"]);
        assert!(!refused("NODE_OPTIONS", &settings) && refused("NODE_PATH", &settings));
    }

    #[test]
    fn our_own_names_are_nobodys_in_any_case() {
        let settings = of_flags(&["allowedVariables=SECRETS_INJECTOR_PLAN"]);
        for name in ["SECRETS_INJECTOR_PLAN", "secrets_injector_plan", "Secrets_Injector_X"] {
            assert!(refused(name, &settings), "{name}");
        }
    }

    #[test]
    fn an_operator_may_say_which_names_alone_are_set() {
        let only = "onlyVariables=DB_*,TOKEN,*_OPTS";
        let settings = of_flags(&[only]);
        for (name, free) in
            [("DB_PASSWORD", true), ("TOKEN", true), ("MY_TOKEN", false), ("db_x", false)]
        {
            assert_eq!(!refused(name, &settings), free, "{name}");
        }
        // One that runs code needs its own leave all the same.
        assert!(refused("JAVA_OPTS", &settings));
        let settings = of_flags(&[only, "allowedVariables=JAVA_OPTS,NODE_OPTIONS"]);
        assert!(!refused("JAVA_OPTS", &settings) && refused("NODE_OPTIONS", &settings));
    }
}
