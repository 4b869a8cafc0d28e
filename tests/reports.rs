//! The log of reports, `docs/reports.md`: each row has an id of its own, a source, and tests that exist, and the list of topics names
//! each row.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

const PAGE: &str = "docs/reports.md";

/// The areas in their order, and the minimum number of inputs in each area.
const AREAS: [(char, usize); 5] = [('W', 17), ('A', 12), ('S', 10), ('H', 15), ('F', 20)];

/// A cell of a table: its text, and the text and the target of each link.
#[derive(Clone, Debug, Default)]
struct Cell {
    text: String,
    links: Vec<(String, String)>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the rows of all tables of the page, without the rows of headings.
fn rows() -> Vec<Vec<Cell>> {
    let text = fs::read_to_string(root().join(PAGE)).unwrap();
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), Cell::default());
    let mut link = None::<(String, String)>;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableCell) => cell = Cell::default(),
            Event::End(TagEnd::TableCell) => row.push(cell.clone()),
            Event::End(TagEnd::TableHead) => row.clear(),
            Event::End(TagEnd::TableRow) => rows.push(std::mem::take(&mut row)),
            Event::Start(Tag::Link { dest_url, .. }) => {
                link = Some((String::new(), dest_url.into_string()));
            }
            Event::End(TagEnd::Link) => cell.links.extend(link.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some((name, _)) = &mut link {
                    name.push_str(&text);
                }
                cell.text.push_str(&text);
            }
            _ => {}
        }
    }
    rows
}

/// Returns the rows of reports: those with an id in their first cell.
fn reports() -> Vec<(Id, Vec<Cell>)> {
    let rows = rows().into_iter();
    let reports = rows.filter_map(|row| Some((Id::parse(&row.first()?.text)?, row)));
    reports.collect()
}

/// An id such as `W4`, or `W4.1` for the first input of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    area: usize,
    number: usize,
    sibling: usize,
}

impl Id {
    fn parse(text: &str) -> Option<Self> {
        let area = AREAS.iter().position(|(area, _)| text.starts_with(*area))?;
        let (number, sibling) = match text.get(1..)?.split_once('.') {
            Some((number, sibling)) => (number, sibling.parse().ok()?),
            None => (text.get(1..)?, 0),
        };
        let number = number.parse().ok()?;
        Some(Self {
            area,
            number,
            sibling,
        })
    }
}

#[test]
fn ids_are_in_order_without_a_gap() {
    let ids: Vec<_> = reports().into_iter().map(|(id, _)| id).collect();
    for pair in ids.windows(2) {
        if let [one, next] = pair {
            assert!(one < next, "{one:?} is before {next:?}");
        }
    }
    for (area, (letter, least)) in AREAS.iter().enumerate() {
        let of_area = || ids.iter().filter(|id| id.area == area);
        let numbers: BTreeSet<_> = of_area().map(|id| id.number).collect();
        assert!(numbers.len() >= *least, "{letter}: {}", numbers.len());
        let with_siblings = of_area().filter(|id| id.sibling > 0);
        for id in with_siblings {
            let before = Id {
                sibling: id.sibling - 1,
                ..*id
            };
            assert!(ids.contains(&before), "{id:?} has a gap before it");
        }
        let count = numbers.len();
        assert!(numbers.into_iter().eq(1..=count), "{letter} has a gap");
    }
}

#[test]
fn each_row_has_a_source_and_a_decision() {
    for (id, row) in reports() {
        assert_eq!(row.len(), 6, "{id:?}: {row:?}");
        assert!(
            row.iter().all(|cell| !cell.text.is_empty()),
            "{id:?}: {row:?}"
        );
    }
    let public = reports().into_iter().filter(|(_, row)| {
        let source = row.get(1).into_iter().flat_map(|cell| &cell.links);
        source
            .clone()
            .any(|(_, target)| target.starts_with("https://"))
    });
    assert!(public.count() >= 20, "too few rows have a public report");
}

/// A test is cited by its name, with a link to its file. A row may also cite the doc tests or the unit tests of a
/// file, or an example.
#[test]
fn each_row_cites_tests_that_exist() {
    let mut faults = Vec::new();
    for (id, row) in reports() {
        let Some(tests) = row.get(5) else { continue };
        let says_why = tests
            .text
            .strip_prefix("no test: ")
            .is_some_and(|why| why.split_whitespace().count() > 3);
        if tests.links.is_empty() && !says_why {
            faults.push(format!("{id:?} cites no test"));
        }
        for (name, target) in &tests.links {
            let path = target.strip_prefix("../").unwrap_or(target);
            let text = fs::read_to_string(root().join(path)).unwrap_or_default();
            let is_there = match &**name {
                "doc test" => text.lines().any(|line| {
                    let line = line.trim_start_matches(['/', '!', ' ']);
                    line == "```" || line.starts_with("```rust") || line.starts_with("```compile")
                }),
                "unit tests" => path.starts_with("src/") && text.contains("#[test]"),
                "example" => path.starts_with("examples/") && text.contains("fn main()"),
                name => text.contains(&format!("fn {name}(")),
            };
            if !is_there {
                faults.push(format!("{id:?}: {name} isn't in {target}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_topics_name_each_row() {
    let topics = rows().into_iter().filter(|row| row.len() == 2);
    let named: BTreeSet<Id> = topics
        .filter_map(|row| row.into_iter().nth(1))
        .flat_map(|cell| {
            let ids = cell
                .text
                .split(", ")
                .map(|id| (id.to_owned(), Id::parse(id)));
            ids.map(|(text, id)| id.unwrap_or_else(|| unreachable!("{text} isn't an id")))
                .collect::<Vec<_>>()
        })
        .collect();
    let main: BTreeSet<Id> = reports()
        .into_iter()
        .map(|(id, _)| Id { sibling: 0, ..id })
        .collect();
    let without: Vec<_> = main.difference(&named).collect();
    assert!(without.is_empty(), "rows without a topic: {without:?}");
    let unknown: Vec<_> = named.difference(&main).collect();
    assert!(unknown.is_empty(), "topics of no row: {unknown:?}");
}
