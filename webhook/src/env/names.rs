//! Variables that no secret may set, or only with the operator's leave.

use plan::VariableName;

use crate::settings::Settings;

/// What is wrong with the name, and the remedy.
pub(super) fn refused(name: &VariableName, settings: &Settings) -> Option<(String, String)> {
    let name = name.as_str();
    if name.starts_with(RESERVED) {
        let remedy = "give the variable another name".to_owned();
        return Some((format!("names that begin with {RESERVED} are ours"), remedy));
    }
    let leave = settings.allowed_variables.iter().any(|allowed| allowed == name);
    (runs_code(name) && !leave).then(|| {
        (
            "with this variable, whoever writes the secret can run code in the container"
                .to_owned(),
            "use another name, or ask the operator to add it to allowedVariables in the settings"
                .to_owned(),
        )
    })
}

const RESERVED: &str = "SECRETS_INJECTOR_";

/// Whether a program that many images have takes code, or the place of code, from it. Not those
/// that say whom to trust or where to connect: a proxy's address with a password is a secret.
fn runs_code(name: &str) -> bool {
    // Some are read in any case.
    let name = name.to_ascii_uppercase();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        // Start scripts of programs on the JVM have one of their own each.
        || name.ends_with("_OPTS")
        || NAMES.contains(&name.as_str())
}

const PREFIXES: [&str; 16] = [
    "LD_",
    "DYLD_",
    "BASH_FUNC_",
    "GIT_",
    "CORECLR_",
    "COR_",
    "NPM_CONFIG_",
    "LUA_INIT",
    "LUA_PATH",
    "LUA_CPATH",
    "PERL5",
    "RUBY",
    "GEM_",
    "BUNDLE_",
    "R_PROFILE",
    "JULIA_",
];

const NAMES: [&str; 72] = [
    // What is found, and how words are split.
    "PATH",
    "IFS",
    "CDPATH",
    "FPATH",
    "HOME",
    "SHELL",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    // Shells.
    "BASH_ENV",
    "KSH_ENV",
    "ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "PS4",
    "PROMPT_COMMAND",
    "ZDOTDIR",
    "AWKPATH",
    "AWKLIBPATH",
    // The C library and what it loads.
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "LOCPATH",
    "NLSPATH",
    "HOSTALIASES",
    "RESOLV_HOST_CONF",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "GTK_MODULES",
    "GIO_MODULE_DIR",
    "GST_PLUGIN_PATH",
    // Languages.
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_REPL_EXTERNAL_MODULE",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
    "PYTHONBREAKPOINT",
    "PYTHONWARNINGS",
    "PYTHONUSERBASE",
    "PYTHONPLATLIBDIR",
    "PYTHONEXECUTABLE",
    "PERLLIB",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "IBM_JAVA_OPTIONS",
    "OPENJ9_JAVA_OPTIONS",
    "JAVA_HOME",
    "CLASSPATH",
    "DOTNET_STARTUP_HOOKS",
    "DOTNET_ADDITIONAL_DEPS",
    "ASPNETCORE_HOSTINGSTARTUPASSEMBLIES",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "ERL_AFLAGS",
    "ERL_FLAGS",
    "ERL_ZFLAGS",
    "ELIXIR_ERL_OPTIONS",
    "GOFLAGS",
    "RUSTC_WRAPPER",
    "TCLLIBPATH",
    // Programs that other programs start.
    "EDITOR",
    "VISUAL",
    "PAGER",
    "MANPAGER",
    "LESSOPEN",
    "LESSCLOSE",
    "VIMINIT",
    "BROWSER",
    "KUBECONFIG",
    "KUBE_EDITOR",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, settings: &Settings) -> bool {
        super::refused(&VariableName::parse(name).unwrap(), settings).is_some()
    }

    #[test]
    fn names_that_run_code_need_the_operators_leave() {
        let mut settings = Settings::default();
        for name in [
            "LD_PRELOAD",
            "NODE_OPTIONS",
            "PATH",
            "BASH_ENV",
            "GIT_SSH_COMMAND",
            "Npm_Config_node_options",
            "LUA_INIT_5_4",
            "JAVA_OPTS",
            "KAFKA_OPTS",
            "gradle_opts",
            "ASPNETCORE_HOSTINGSTARTUPASSEMBLIES",
            "LESSCLOSE",
            "XDG_CONFIG_HOME",
        ] {
            assert!(refused(name, &settings), "{name}");
        }
        for name in [
            "DB_PASSWORD",
            "OLD_PATH",
            "LDAP_PASSWORD",
            "GITHUB_TOKEN",
            "NODE_ENV",
            "HTTPS_PROXY",
            "OPTS",
            "DB_OPTS_FILE",
        ] {
            assert!(!refused(name, &settings), "{name}");
        }
        settings.allowed_variables = vec!["NODE_OPTIONS".to_owned()];
        assert!(!refused("NODE_OPTIONS", &settings) && refused("NODE_PATH", &settings));
    }

    #[test]
    fn our_own_names_are_nobodys() {
        let settings = Settings {
            allowed_variables: vec!["SECRETS_INJECTOR_PLAN".into()],
            ..Settings::default()
        };
        assert!(refused("SECRETS_INJECTOR_PLAN", &settings));
    }
}
