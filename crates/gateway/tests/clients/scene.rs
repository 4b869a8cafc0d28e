//! A gateway, a fake vendor, and a client between them.

use serde_json::Value;
use testkit::certificates;
use testkit::gateway::Origin;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::{Reply, Step};
use testkit::vendor::Vendor;

use crate::fake::{Api, Fake, STORED, faults_of};
use crate::program::{Program, Said};
use crate::recipe::Targets;

/// The caller's key. Some SDKs accept only letters, digits and `_`, and some choose a scheme by the length.
pub(crate) const KEY: &str = "c4naryCaller_key_of_these_tests";

/// The variables of programs that contain the addresses of connections, and the connections.
const CONNECTIONS: [(&str, &str); 3] = [("BASE", "c"), ("UNKNOWN", "nobody"), ("BROKEN", "broken")];

/// The names of a gateway that callers know by names. The last are those of buckets.
const NAMES: [&str; 5] = [
    "gw.test",
    "*.gw.test",
    "*.c.gw.test",
    "*.nobody.gw.test",
    "*.broken.gw.test",
];

/// The variables by which clients are told which root to trust.
const TRUST: [&str; 5] = [
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "HTTPLIB2_CA_CERTS",
];

/// The part of the gateway's detail about an unknown connection that each SDK must show.
const UNKNOWN: &str = "no connection has this id";

/// The part of the detail about a vendor that didn't answer in time.
const SILENT: &str = "the upstream didn't respond in time";

/// The part of the detail about a vendor that closed the connection in place of an answer.
const BROKEN: &str = "the upstream closed the connection before its response was complete";

/// A gateway with the connections `c`, at a vendor, and `broken`, at a vendor that reads requests and closes the
/// connection, or never answers.
pub(crate) struct Scene {
    gateway: Gateway,
    broken: Vendor,
    api: Api,
    /// The path of the root certificate.
    root: String,
}

impl Scene {
    pub(crate) async fn start(vendor: &(impl Origin + ?Sized), api: Api) -> Self {
        let step = if api.is_silent {
            Step::Silence
        } else {
            Step::Close
        };
        let broken = Vendor::answering(Reply(vec![step])).await;
        let folder = Folder::new();
        folder.write("root.pem", certificates::root_pem());
        let mut config = Self::config(vendor, &api, &broken);
        if api.is_public {
            let (certificate, key) = certificates::certificate_pem_for(&NAMES);
            folder.write("cert.pem", certificate);
            folder.write("key.pem", key);
            config = config.table("[tls]\ncertificate = \"cert.pem\"\nprivate_key = \"key.pem\"");
        }
        let root = folder.path("root.pem");
        Self {
            gateway: Gateway::start_in(folder, &config, &[]).await,
            broken,
            api,
            root: root.display().to_string(),
        }
    }

    fn config(vendor: &(impl Origin + ?Sized), api: &Api, broken: &Vendor) -> Config {
        let vendor_origin = vendor.origin();
        let port = vendor_origin.rsplit(':').next().unwrap_or_default();
        let second = format!(
            "[integration.broken]\nbase_url = \"{}{}\"\n{}\nauth = {}\n\
             [connection.broken]\nintegration = \"broken\"\nsecret = {}",
            broken.origin(),
            api.path,
            api.integration.replace("PORT", port),
            api.auth,
            api.secret
        );
        let caller = format!("[[caller]]\napi_key = \"{KEY}\"\nconnections = [\"*\"]");
        let network = "allow = [\"127.0.0.0/8\"]\nplaintext = true\nextra_roots = [\"root.pem\"]\n\
                       resolve = { \"vendor.test\" = \"127.0.0.1\", \"files.vendor.test\" = \"127.0.0.1\", \
                       \"bucket.vendor.test\" = \"127.0.0.1\" }";
        let config = Config::new(vendor)
            .top(api.top)
            .network(network)
            .callers(&caller)
            .path(api.path)
            .integration(&api.integration.replace("PORT", port))
            .auth(api.auth, api.secret)
            .table(&second);
        match api.is_silent {
            true => config.table("[timeouts]\nresponse_head = \"3s\""),
            false => config,
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let port = self.gateway.address.port();
        let mut variables = vec![
            ("KEY", KEY.to_owned()),
            ("PORT", port.to_string()),
            ("ORIGIN", self.url("")),
        ];
        variables.extend(CONNECTIONS.map(|(name, id)| (name, self.mount_url(id))));
        if self.api.is_public {
            variables.extend(TRUST.map(|name| (name, self.root.clone())));
        }
        variables
    }

    fn url(&self, path: &str) -> String {
        match self.api.is_public {
            true => format!("https://gw.test{path}"),
            false => format!("http://{}{path}", self.gateway.address),
        }
    }

    fn mount_url(&self, id: &str) -> String {
        self.url(&format!("/passthrough/{id}"))
    }

    fn targets(&self) -> Targets {
        let connection = |(name, id)| (name, self.mount_url(id), format!("{id}.gw.test"));
        Targets {
            connections: CONNECTIONS.map(connection).into(),
            is_by_host: self.api.is_by_host,
            path: self.api.path,
            key: KEY,
        }
    }

    /// Runs the client, and checks the result of the calls that succeed. `None` means that the client isn't installed.
    pub(crate) async fn run(&self, program: Program, result: &Value) -> Option<Said> {
        let said = program.run(&self.variables(), &self.targets()).await?;
        assert!(
            !said.printed.contains(STORED),
            "the client was given a stored secret: {}",
            said.printed
        );
        assert_eq!(said.value["result"], *result, "{}", said.printed);
        Some(said)
    }

    /// Returns the number of POSTs that the broken vendor has received.
    async fn broken_posts(&self) -> usize {
        let mut posts = 0;
        while let Some(received) = self.broken.try_next().await {
            // The vendor doesn't know HTTP/2, with which gRPC begins.
            if received.head.method() == "PRI" {
                continue;
            }
            assert_eq!(faults_of(&received, self.api.credential), [""; 0]);
            posts += usize::from(received.head.method() == "POST");
        }
        posts
    }

    /// Checks that the client has shown these texts about an unknown connection and about the broken vendor, and has
    /// sent that number of POSTs to the broken vendor.
    pub(crate) async fn assert_errors(&self, said: &Said, texts: [&str; 2], posts: usize) {
        for (name, detail) in ["unknown", "broken"].into_iter().zip(texts) {
            let text = said.value[name].as_str().unwrap_or_default();
            assert!(text.contains(detail), "{name}: {text:?}\n{}", said.printed);
        }
        assert_eq!(
            self.broken_posts().await,
            posts,
            "POSTs at the broken vendor"
        );
    }
}

/// Runs a client with that vendor: its calls have that result, both errors show the gateway's detail, and the client
/// doesn't repeat the POST that broke off.
pub(crate) async fn check(program: Program, api: Api, result: Value) {
    let broken = if api.is_silent { SILENT } else { BROKEN };
    check_but(program, api, result, [UNKNOWN, broken], 1).await;
}

/// Runs a client that shows these texts in place of the gateway's details, and that sends that number of POSTs to the
/// broken vendor.
pub(crate) async fn check_but(
    program: Program,
    api: Api,
    result: Value,
    texts: [&str; 2],
    posts: usize,
) {
    let fake = Fake::start(&api).await;
    let scene = Scene::start(&fake, api).await;
    let said = scene.run(program, &result).await;
    fake.assert_faultless();
    if let Some(said) = said {
        scene.assert_errors(&said, texts, posts).await;
    }
}
