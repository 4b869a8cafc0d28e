//! The recipes of `catalog/sdks.toml`, which the programs of the clients contain as they are written there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::program::read;

/// The folders of programs that may contain recipes, and the ends of the names of programs.
const FOLDERS: [(&str, Syntax); 4] = [
    ("python", Syntax::Python),
    ("node", Syntax::Node),
    ("ruby", Syntax::Ruby),
    ("go", Syntax::Go),
];

/// The packages of Debian that contain SDKs with recipes.
const DEBIAN: [(&str, &str); 2] = [
    ("octokit-rb", "ruby-octokit"),
    ("slack-go", "golang-github-slack-go-slack-dev"),
];

/// A language in which programs contain recipes.
#[derive(Clone, Copy)]
pub(crate) enum Syntax {
    Python,
    Node,
    Ruby,
    Go,
}

/// The connections of a gateway that recipes lead to.
#[derive(Debug)]
pub(crate) struct Targets {
    /// The name of each connection's variable in programs, the address below the mount, and the host.
    pub(crate) connections: Vec<(&'static str, String, String)>,
    pub(crate) is_by_host: bool,
    pub(crate) key: &'static str,
}

impl Targets {
    /// Returns the recipe of an SDK for each connection.
    fn recipes(&self, name: &str) -> Vec<(&'static str, String)> {
        let all = sdks();
        let sdk = all.get(name);
        let sdk = sdk.unwrap_or_else(|| panic!("catalog/sdks.toml has no {name}"));
        let recipe = |(variable, mount_url, host): &(&'static str, String, String)| {
            let filled = match self.is_by_host {
                true => sdk.by_host().replace("{host}", host),
                false => sdk.by_path(mount_url),
            };
            (*variable, filled.replace("{key}", self.key))
        };
        self.connections.iter().map(recipe).collect()
    }
}

/// An entry of the file.
pub(crate) struct Sdk(toml::Table);

impl Sdk {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(toml::Value::as_str).unwrap_or("")
    }

    fn by_host(&self) -> String {
        match (self.text("by"), self.text("line_by_host")) {
            ("host", _) => self.text("line").to_owned(),
            (_, "") => {
                let url = "https://{host}";
                let line = self.text("line").replace("{mount_url}", url);
                line.replace("{gateway}", url)
            }
            (_, line) => line.to_owned(),
        }
    }

    fn by_path(&self, mount_url: &str) -> String {
        let line = match self.text("by") {
            "host" => self.text("line_by_path"),
            _ => self.text("line"),
        };
        let (gateway, _) = mount_url.split_once("/passthrough/").unwrap();
        let line = line.replace("{mount_url}", mount_url);
        line.replace("{gateway}", gateway)
    }
}

pub(crate) fn sdks() -> BTreeMap<String, Sdk> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/sdks.toml");
    let file = std::fs::read_to_string(file).unwrap();
    let mut file: toml::Table = file.parse().unwrap();
    let Some(toml::Value::Table(sdks)) = file.remove("sdk") else {
        panic!("no [sdk.X] in catalog/sdks.toml");
    };
    let sdk = |(name, value)| match value {
        toml::Value::Table(table) => (name, Sdk(table)),
        _ => panic!("{name} isn't a table"),
    };
    sdks.into_iter().map(sdk).collect()
}

/// Returns the name of the SDK whose recipe a line of a program asks for, and what follows the name.
fn marker(line: &str) -> Option<(&str, &str)> {
    let inside = line.strip_prefix("{{recipe ")?.strip_suffix("}}")?;
    Some(inside.split_once(' ').unwrap_or((inside, "")))
}

/// Replaces the line `{{recipe NAME}}` of a program by a function `connect`, which takes the value of `BASE`, `UNKNOWN` or
/// `BROKEN`, and contains the recipe of the SDK for each of them.
pub(crate) fn filled(program: &str, syntax: Syntax, targets: &Targets) -> String {
    let mut text = String::new();
    for line in program.lines() {
        match marker(line) {
            Some((name, kind)) => text += &function(&targets.recipes(name), syntax, kind),
            None => text += line,
        }
        text.push('\n');
    }
    text
}

fn function(recipes: &[(&'static str, String)], syntax: Syntax, kind: &str) -> String {
    let mut text = String::new();
    // An `import` of JavaScript can't be in a function.
    let is_import = |line: &&str| matches!(syntax, Syntax::Node) && line.starts_with("import ");
    let first = recipes.first().map_or("", |(_, recipe)| recipe);
    for line in first.lines().filter(is_import) {
        text += &format!("{line}\n");
    }
    let (head, condition, end, last) = match syntax {
        Syntax::Python => ("def connect(target):\n", "if target == NAME:", "", ""),
        Syntax::Node => (
            "function connect(target) {\n",
            "if (target === NAME) {",
            "  }\n",
            "}",
        ),
        Syntax::Ruby => (
            "def connect(target)\n",
            "if target == NAME",
            "  end\n",
            "end",
        ),
        Syntax::Go => (
            "func connect(target string) KIND {\n",
            "if target == NAME {",
            "  }\n",
            "panic(target)\n}",
        ),
    };
    text += &head.replace("KIND", kind);
    for (name, recipe) in recipes {
        let name = match syntax {
            Syntax::Go => name.to_lowercase(),
            _ => (*name).to_owned(),
        };
        text += &format!("  {}\n", condition.replace("NAME", &name));
        for line in recipe.lines().filter(|line| !is_import(line)) {
            text += &format!("    {line}\n");
        }
        text += &format!("    return client\n{end}");
    }
    text + last
}

/// Returns the names of the SDKs whose recipes are in programs, with the language's folder and the name of the program.
fn used() -> BTreeMap<String, (&'static str, String)> {
    let mut used = BTreeMap::new();
    for (folder, _) in FOLDERS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        for file in std::fs::read_dir(path.join(folder)).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            let text = read(&format!("{folder}/{file}"));
            for (name, _) in text.lines().filter_map(marker) {
                let (program, _) = file.split_once('.').unwrap();
                used.insert(name.to_owned(), (folder, program.to_owned()));
            }
        }
    }
    used
}

#[test]
fn the_sdks_whose_recipes_run_are_marked_as_tested() {
    let marked: BTreeSet<_> = sdks()
        .into_iter()
        .filter(|(_, sdk)| !sdk.text("tested").is_empty())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(marked, used().into_keys().collect());
    assert!(marked.len() > 20, "only {} recipes are run", marked.len());
}

/// Returns the version of a package that the tests install.
fn pinned(name: &str, sdk: &Sdk) -> String {
    let package = sdk.text("package");
    let line = |file: &str, name: &str, separator: &str| {
        let file = read(file);
        let version = |line: &str| {
            line.strip_prefix(&format!("{name}{separator}"))
                .map(str::to_owned)
        };
        file.lines().find_map(version)
    };
    let version = match sdk.text("language") {
        "Python" => line("python/requirements.txt", package, "=="),
        "JavaScript" => {
            let lock: Value = serde_json::from_str(&read("node/package-lock.json")).unwrap();
            let package = &lock["packages"][format!("node_modules/{package}")];
            package["version"].as_str().map(str::to_owned)
        }
        _ => {
            let debian = DEBIAN.iter().find(|(sdk, _)| *sdk == name);
            debian.and_then(|(_, package)| line("debian.txt", package, " "))
        }
    };
    version.unwrap_or_else(|| panic!("{name}: the tests install no {package}"))
}

#[test]
fn the_tested_versions_of_recipes_are_those_that_are_installed() {
    for (name, sdk) in sdks() {
        let tested = sdk.text("tested");
        if !tested.is_empty() {
            assert_eq!(tested, pinned(&name, &sdk), "{name}");
        }
    }
}

/// A package that the tests install for a client and whose SDK has a recipe must run the recipe.
#[test]
fn each_installed_sdk_with_a_recipe_runs_the_recipe() {
    let python = read("python/requirements.txt");
    let node: Value = serde_json::from_str(&read("node/package.json")).unwrap();
    for (name, sdk) in sdks() {
        let package = sdk.text("package");
        let is_installed = match sdk.text("language") {
            "Python" => python
                .lines()
                .any(|line| line.starts_with(&format!("{package}=="))),
            "JavaScript" => node["dependencies"].get(package).is_some(),
            _ => DEBIAN.iter().any(|(sdk, _)| *sdk == name),
        };
        // Azure's client is a second class of the same package.
        let is_other_class = name.starts_with("azure-openai-");
        if is_installed && !is_other_class {
            assert_ne!(
                sdk.text("tested"),
                "",
                "{name} is installed and isn't tested"
            );
        }
    }
}

/// A recipe with a form for each way of addressing has a test for each form.
#[test]
fn both_forms_of_a_recipe_are_run() {
    let tests = read("by_host.rs");
    for (name, (folder, program)) in used() {
        let all = sdks();
        let sdk = &all[&name];
        for (key, end) in [("line_by_host", "by_host"), ("line_by_path", "by_path")] {
            if !sdk.text(key).is_empty() {
                let test = format!("fn {folder}_{program}_{end}()");
                assert!(
                    tests.contains(&test),
                    "{name} has {key}, and there is no {test}"
                );
            }
        }
    }
}
