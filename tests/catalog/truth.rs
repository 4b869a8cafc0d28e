//! What must be true of each entry, as far as it can be seen without a network.

use tower_passthrough::catalog::Catalog;

#[test]
fn each_entry_builds() {
    assert_eq!(Catalog::bundled().iter().len(), 147);
    for entry in Catalog::bundled().iter() {
        if let Err(error) = entry.upstream() {
            panic!("{error}: {:?}", std::error::Error::source(&error));
        }
        #[cfg(feature = "oauth2")]
        assert_eq!(
            entry.token_endpoint().is_some(),
            entry
                .oauth2()
                .is_some_and(|oauth2| oauth2.token_url().is_some()),
            "{entry:?}"
        );
    }
}
