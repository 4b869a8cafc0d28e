//! The figures that are committed in the repository, and the table.

use std::fs;
use std::path::PathBuf;

use crate::BoxError;
use crate::cases::Case;

const HEAD: &str = "\
# Instructions of a call in user space. Written by the program in this folder with --write. Other versions of the compiler, and
# processors with other vector instructions, give other figures.
";

/// The committed figures, by the names of their cases.
pub struct Figures(Vec<(String, f64)>);

impl Figures {
    pub fn read() -> Result<Self, BoxError> {
        let Ok(text) = fs::read_to_string(path()) else {
            return Ok(Self(Vec::new()));
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let (name, figure) = line
                    .split_once('=')
                    .ok_or_else(|| format!("figures.toml: no figure in {line:?}"))?;
                Ok((name.trim().to_owned(), figure.trim().parse()?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn of(&self, name: &str) -> Option<f64> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, figure)| *figure)
    }

    /// Writes the new figures, and keeps those of cases that weren't measured.
    pub fn write(&self, counted: &[(&Case, f64)]) -> Result<(), BoxError> {
        let mut text = HEAD.to_owned();
        for case in crate::cases::ALL {
            let new = counted
                .iter()
                .find(|(counted, _)| counted.name == case.name);
            if let Some(figure) = new.map(|(_, count)| *count).or_else(|| self.of(case.name)) {
                text.push_str(&format!("{} = {figure:.0}\n", case.name));
            }
        }
        Ok(fs::write(path(), text)?)
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("figures.toml")
}

/// Prints a table in Markdown.
pub fn print(counted: &[(&Case, f64)], committed: &Figures) {
    let legacy = counted
        .iter()
        .find(|(case, _)| case.name == "legacy")
        .map(|(_, count)| *count)
        .or_else(|| committed.of("legacy"));
    println!("| proxy | instructions of a call | beside `legacy` | change |");
    println!("| --- | ---: | ---: | ---: |");
    for (case, count) in counted {
        let beside = legacy.map_or("–".to_owned(), |legacy| {
            format!("{:.2} ×", count / legacy)
        });
        let change = committed.of(case.name).map_or("–".to_owned(), |figure| {
            format!("{:+.1} %", (count / figure - 1.0) * 100.0)
        });
        println!("| {} | {count:.0} | {beside} | {change} |", case.title);
    }
}
