//! The recipes of the catalog's SDKs, which the programs of the clients contain as they are written there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tower_passthrough::catalog::{Catalog, Language, Sdk, SdkAddressing};

use crate::program::{installed, read};

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
    /// The path of the vendor's base URL.
    pub(crate) path: &'static str,
    pub(crate) key: &'static str,
}

impl Targets {
    /// Returns the recipe of an SDK for each connection.
    fn recipes(&self, name: &str) -> Vec<(&'static str, String)> {
        let sdk = Catalog::bundled().sdk(name);
        let sdk = sdk.unwrap_or_else(|| panic!("the catalog has no {name}"));
        assert_eq!(self.path, base_path(sdk), "the path of the fake's base URL");
        let recipe = |(variable, mount_url, host): &(&'static str, String, String)| {
            let snippet = match self.is_by_host {
                true => sdk.snippet_by_host(host, self.key),
                false => sdk.snippet_by_path(mount_url, self.key),
            };
            (*variable, snippet.unwrap())
        };
        self.connections.iter().map(recipe).collect()
    }
}

/// Returns the path of the base URL for which the recipe is written: the entry's, or the base URL that the SDK needs in its place.
fn base_path(sdk: Sdk) -> &'static str {
    let name = sdk.integrations().first().unwrap();
    if *name == "github" {
        // The fake is a GitHub Enterprise Server, whose API isn't at the root.
        return "/api/v3";
    }
    let entry = Catalog::bundled().get(name).unwrap();
    let url = sdk.base_url(name).unwrap_or(entry.base_url());
    let (_, rest) = url.split_once("://").unwrap();
    let path = rest.find('/').and_then(|at| rest.get(at..));
    path.unwrap_or_default()
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
    let marked = Catalog::bundled().sdks().filter(|sdk| sdk.is_tested());
    let marked: BTreeSet<_> = marked.map(|sdk| sdk.name().to_owned()).collect();
    assert_eq!(marked, used().into_keys().collect());
    assert!(marked.len() > 20, "only {} recipes are run", marked.len());
}

/// Returns the version of the SDK that the tests install.
fn pinned(sdk: Sdk) -> Option<String> {
    let line = |file: &str, name: &str, separator: &str| {
        let start = format!("{name}{separator}");
        let file = read(file);
        let mut lines = file.lines();
        lines.find_map(|line| Some(line.strip_prefix(&start)?.to_owned()))
    };
    match sdk.language() {
        Language::Python => line("python/requirements.txt", sdk.package(), "=="),
        Language::JavaScript => {
            let lock: Value = serde_json::from_str(&read("node/package-lock.json")).unwrap();
            let package = &lock["packages"][format!("node_modules/{}", sdk.package())];
            // Packages that only other packages need aren't clients.
            lock["packages"][""]["dependencies"].get(sdk.package())?;
            Some(package["version"].as_str()?.to_owned())
        }
        _ => {
            let (_, package) = DEBIAN.iter().find(|(name, _)| *name == sdk.name())?;
            line("debian.txt", package, " ")
        }
    }
}

#[test]
fn the_tested_version_of_a_recipe_is_the_version_that_is_installed() {
    for sdk in Catalog::bundled().sdks() {
        // Azure's client is a second class of OpenAI's package.
        if !sdk.integrations().contains(&"azure-openai") {
            let tested = sdk.tested_version().map(str::to_owned);
            assert_eq!(tested, pinned(sdk), "{}", sdk.name());
        }
    }
}

/// A recipe with a form of its own for each way of addressing has a test for each form.
#[test]
fn both_forms_of_a_recipe_are_run() {
    let tests = read("by_host.rs");
    let mut forms = 0;
    for (name, (folder, program)) in used() {
        let sdk = Catalog::bundled().sdk(&name).unwrap();
        let by_path = sdk.snippet_by_path("https://gw.test", "k");
        let by_host = sdk.snippet_by_host("gw.test", "k").unwrap();
        let ends: &[_] = match sdk.addressing() {
            SdkAddressing::Host => &["by_host", "by_path"][..1 + usize::from(by_path.is_ok())],
            _ if by_path.unwrap() != by_host => &["by_host"],
            _ => &[],
        };
        for end in ends {
            let test = format!("fn {folder}_{program}_{end}()");
            assert!(tests.contains(&test), "{name}: there is no {test}");
            forms += 1;
        }
    }
    assert!(forms >= 4, "only {forms} forms were found");
}

/// Returns the recipes in a language, in each form, with the name of each.
fn forms(language: Language) -> Vec<(String, String)> {
    let sdks = Catalog::bundled().sdks();
    let forms = sdks
        .filter(|sdk| sdk.language() == language)
        .flat_map(|sdk| {
            let by_path = sdk.snippet_by_path("https://gw.test/passthrough/c", "key");
            let by_host = sdk.snippet_by_host("c.gw.test", "key");
            let name = move |snippet| (sdk.name().to_owned(), snippet);
            by_path.ok().into_iter().chain(by_host.ok()).map(name)
        });
    forms.collect()
}

/// Runs a program that reads recipes, and prints a line for each that isn't valid.
fn assert_valid(command: &mut std::process::Command, recipes: &[(String, String)]) {
    use std::io::Write as _;
    use std::process::Stdio;

    assert!(recipes.len() > 50, "only {} recipes", recipes.len());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_string(recipes).unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), format!("{} recipes", recipes.len()));
}

#[test]
fn python_recipes_are_valid_python() {
    let Some(python) = installed("CLIENTS_PYTHON") else {
        return;
    };
    let program = "import ast, json, sys\n\
                   recipes = json.load(sys.stdin)\n\
                   for name, recipe in recipes: ast.parse(recipe, name)\n\
                   print(len(recipes), 'recipes')";
    let mut command = std::process::Command::new(python);
    assert_valid(command.args(["-c", program]), &forms(Language::Python));
}

#[test]
fn node_recipes_are_valid_javascript() {
    if installed("CLIENTS_NODE").is_none() {
        return;
    }
    let program = "const recipes = JSON.parse(require('fs').readFileSync(0));\
                   for (const [name, recipe] of recipes) new (require('vm').SourceTextModule)(recipe, { identifier: name });\
                   console.log(recipes.length, 'recipes');";
    let mut command = std::process::Command::new("node");
    command.args(["--no-warnings", "--experimental-vm-modules", "-e", program]);
    assert_valid(&mut command, &forms(Language::JavaScript));
}
