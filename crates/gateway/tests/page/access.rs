//! The page for everyone: without JavaScript, with the keyboard, with a screen reader, in the dark, and on a phone.

use serde_json::{Value, json};

use crate::browser::run;
use crate::calls::{assert_no_faults, for_pictures, hubspot, of};

#[tokio::test(flavor = "multi_thread")]
async fn the_list_needs_no_script() {
    let (_vendor, gateway) = hubspot().await;
    let Some(seen) = run("no_script", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    assert!(seen["rows"].as_u64().unwrap() >= 2, "{seen:#}");
    for part in [
        "HubSpot",
        "http://vendor.test:",
        "bearer",
        "Without JavaScript",
    ] {
        assert!(of(&seen, "/list").contains(part), "{part}: {seen:#}");
    }
    assert_eq!(
        (&seen["panel"], &seen["search"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_and_nothing_is_wider_than_a_phone() {
    let (_vendor, gateway) = hubspot().await;
    let Some(seen) = run("access", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    assert_eq!(seen["found"], json!([]), "{seen:#}");
    assert_eq!(seen["wide"], json!([]), "{seen:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_is_enough() {
    let (_vendor, gateway) = hubspot().await;
    let Some(seen) = run("keyboard", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    let walk: Vec<(String, bool)> = serde_json::from_value(seen["walk"].clone()).unwrap();
    let places: Vec<_> = walk.iter().map(|(place, _)| place.as_str()).collect();
    let expected = [
        "Skip to the list of integrations",
        "search",
        "Copy",
        "tab-try",
        "tab-connect",
        "tab-try",
        "key",
        "conn",
        "method",
        "path",
    ];
    assert_eq!(places, expected, "{seen:#}");
    assert!(walk.iter().all(|(_, is_visible)| *is_visible), "{walk:?}");
    assert_eq!(seen["panel"], json!("panel-title"));
    assert_eq!(seen["connect"], json!(true));
    assert!(of(&seen, "/status").starts_with("200 OK"), "{seen:#}");
    assert_eq!(of(&seen, "/path"), "echo/");
    assert_eq!(of(&seen, "/chosen"), of(&seen, "/title"));
    assert_eq!(of(&seen, "/search"), "");
    assert!(seen["rows"].as_u64().unwrap() >= 2, "{seen:#}");
}

/// Writes the pictures of `docs/page.md` into the folder `PAGE_PICTURES`.
#[tokio::test(flavor = "multi_thread")]
async fn pictures() {
    if std::env::var_os("PAGE_PICTURES").is_none() {
        eprintln!("skipped: PAGE_PICTURES isn't set");
        return;
    }
    let (_vendor, gateway) = for_pictures().await;
    let Some(seen) = run("pictures", &gateway, "").await else {
        return;
    };
    assert_eq!(seen["faults"], Value::Array(Vec::new()));
}
