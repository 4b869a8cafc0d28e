//! The links of the documentation: each relative link of a Markdown file leads to a file and a heading, each path in a comment to a
//! file, and a rule is cited only with a link to it. `rustdoc` checks the links between items.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// The address of the guides after a release.
const GUIDES: &str = "https://docs.rs/tower-passthrough/latest/tower_passthrough/guides/";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the repository's files with the given extension, without those that a build or a package manager has made.
fn files(extension: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                let is_source =
                    !name.starts_with('.') && !matches!(name, "target" | "node_modules");
                if is_source {
                    collect(&path, extension, files);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(root(), extension, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no .{extension} files");
    files
}

fn name(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}

/// Returns the events of a Markdown text. A reference without a definition becomes a link to `?`.
fn events(text: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let undefined = |link: pulldown_cmark::BrokenLink<'_>| {
        // `[x]` without a second bracket may be plain text.
        let is_link = !matches!(link.link_type, LinkType::Shortcut);
        is_link.then(|| ("?".into(), "".into()))
    };
    Parser::new_with_broken_link_callback(text, options, Some(undefined)).collect()
}

/// Returns the anchors of a Markdown text: those that renderers make from its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let (mut anchors, mut heading) = (BTreeSet::new(), None::<String>);
    for event in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap());
                let numbered = (1..).map(|n| format!("{slug}-{n}"));
                let free = std::iter::once(slug.clone())
                    .chain(numbered)
                    .find(|slug| !anchors.contains(slug));
                anchors.extend(free);
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    anchors
}

fn slug(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let text = title.chars().filter(kept);
    text.map(|c| if c == ' ' { '-' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Resolves `.` and `..` of a path without looking at the file system.
fn normalized(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                assert!(parts.pop(), "{} leaves the repository", path.display());
            }
            Component::CurDir => {}
            component => parts.push(component),
        }
    }
    parts
}

/// The anchors of the repository's Markdown files, each read once.
#[derive(Default)]
struct Anchors(HashMap<PathBuf, BTreeSet<String>>);

impl Anchors {
    /// Returns what is wrong with a link from `file`, if anything is.
    fn fault(&mut self, file: &Path, link: &str) -> Option<String> {
        if link == "?" {
            return Some("a reference without a definition".to_owned());
        }
        if let Some(guide) = link.strip_prefix(GUIDES) {
            let guide = guide.split(['/', '#']).next().unwrap();
            let path = root().join(format!("src/docs/{guide}.md"));
            return (!guide.is_empty() && !path.is_file()).then(|| format!("no guide {guide}"));
        }
        // Whatever isn't in the repository can't be checked without a network, and items are checked by rustdoc.
        if link.contains("://") || link.starts_with("mailto:") || link.contains("::") {
            return None;
        }
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() {
            file.to_owned()
        } else {
            normalized(&file.parent().unwrap().join(path))
        };
        if !target.exists() {
            return Some(format!("{} doesn't exist", target.display()));
        }
        let is_markdown = target.extension().is_some_and(|found| found == "md");
        if anchor.is_empty() || !is_markdown {
            return None;
        }
        let anchors = self
            .0
            .entry(target.clone())
            .or_insert_with(|| anchors(&fs::read_to_string(target).unwrap()));
        (!anchors.contains(anchor)).then(|| format!("no heading #{anchor}"))
    }
}

#[test]
fn each_link_of_a_markdown_file_resolves() {
    let (mut faults, mut anchors, mut count) = (Vec::new(), Anchors::default(), 0);
    for file in files("md") {
        let text = fs::read_to_string(&file).unwrap();
        for event in events(&text) {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event
            else {
                continue;
            };
            count += 1;
            if let Some(fault) = anchors.fault(&file, &dest_url) {
                faults.push(format!("{}: {dest_url}: {fault}", name(&file)));
            }
        }
    }
    assert!(count > 500, "only {count} links were found");
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Comments and documentation of the source name files of the repository from its root, such as `docs/contract.md#address`.
#[test]
fn each_file_that_a_comment_names_exists() {
    let (mut faults, mut anchors, mut count) = (Vec::new(), Anchors::default(), 0);
    for file in files("rs") {
        let text = fs::read_to_string(&file).unwrap();
        let comments = text.lines().filter_map(|line| line.split_once("//"));
        for word in comments.flat_map(|(_, comment)| comment.split_whitespace()) {
            let is_end = |c: char| !c.is_alphanumeric() && c != '/';
            let path = word.trim_matches(is_end);
            let path = path
                .rsplit_once("/blob/main/")
                .map_or(path, |(_, path)| path);
            let is_path = [
                "docs/",
                "src/",
                "tests/",
                "crates/",
                "examples/",
                "benches/",
                "fuzz/",
            ]
            .iter()
            .any(|folder| path.starts_with(folder));
            let (path_alone, _) = path.split_once('#').unwrap_or((path, ""));
            let has_extension = [".md", ".rs", ".toml"]
                .iter()
                .any(|end| path_alone.ends_with(end));
            if !is_path || !has_extension {
                continue;
            }
            count += 1;
            if let Some(fault) = anchors.fault(&root().join("README.md"), path) {
                faults.push(format!("{}: {path}: {fault}", name(&file)));
            }
        }
    }
    assert!(count > 20, "only {count} paths were found");
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Returns the IDs of rules in the text: those after the word "rule" or "rules", or, if `every` is set, all of them.
fn citations(text: &str, ids: &BTreeSet<String>, every: bool) -> Vec<String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let (mut found, mut after_rule) = (Vec::new(), false);
    for word in words {
        if ids.contains(word) && (after_rule || every) {
            found.push(word.to_owned());
        }
        after_rule = matches!(
            word.to_ascii_lowercase().as_str(),
            "rule" | "rules" | "security" | "forwarding"
        );
    }
    found
}

/// Returns the IDs of the rules.
fn rules() -> BTreeSet<String> {
    let pages = ["docs/rules/forwarding.md", "docs/rules/security.md"];
    let text = pages
        .map(|page| fs::read_to_string(root().join(page)).unwrap())
        .concat();
    let titles = text.lines().filter_map(|line| line.strip_prefix("### "));
    let ids: BTreeSet<_> = titles
        .filter_map(|title| title.split_once(". "))
        .map(|(id, _)| id.to_owned())
        .filter(|id| id.len() <= 4)
        .collect();
    assert!(ids.len() > 150, "only {} rules were found", ids.len());
    ids
}

#[test]
fn a_rule_is_cited_with_a_link_to_it() {
    let (ids, mut faults) = (rules(), Vec::new());
    for file in files("md") {
        let text = fs::read_to_string(&file).unwrap();
        // In these pages, an ID alone is a citation as well. The rows of the page of reports have IDs of their own.
        let every = file.starts_with(root().join("docs")) && !file.ends_with("docs/reports.md");
        let mut inside = 0;
        for event in events(&text) {
            match event {
                Event::Start(
                    Tag::Link { .. } | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::Strong,
                ) => inside += 1,
                Event::End(
                    TagEnd::Link | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Strong,
                ) => inside -= 1,
                Event::Text(text) if inside == 0 => {
                    faults.extend(
                        citations(&text, &ids, every)
                            .into_iter()
                            .map(|id| format!("{}: {id}", name(&file))),
                    );
                }
                _ => {}
            }
        }
    }
    for file in files("rs") {
        let text = fs::read_to_string(&file).unwrap();
        for (_, comment) in text.lines().filter_map(|line| line.split_once("//")) {
            if !comment.contains("docs/rules/") {
                faults.extend(
                    citations(comment, &ids, false)
                        .into_iter()
                        .map(|id| format!("{}: {id}", name(&file))),
                );
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
