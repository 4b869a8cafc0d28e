//! The facts of the entries, generated from `catalog/integrations.toml` by `tests/catalog`. Don't edit this file.

use super::facts::{
    AlternativeFacts, Confidence, Facts, FieldFacts, OAuth2Facts, Pkce, Rotation, SchemeFacts,
    TokenEndpointAuth, VariableFacts,
};

/// The date of the facts.
pub(super) const DATE: &str = "2026-11-29";

/// The former names of entries, sorted, with the indexes of the entries.
pub(super) static ALIASES: [(&str, usize); 0] = [];

/// The entries, sorted by name.
pub(super) static ENTRIES: [Facts; 147] = [
    Facts {
        name: "activecampaign",
        title: "ActiveCampaign",
        category: "marketing",
        base_url: "https://{account}.api-us1.com/api/3",
        variables: &[VariableFacts {
            name: "account",
            description: "the account name in `ACCOUNT.api-us1.com`, shown in the developer settings, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "Api-Token",
            value: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/users/me"),
        rate_limit_headers: &["RateLimit-Limit", "RateLimit-Remaining", "Retry-After"],
        docs: "https://developers.activecampaign.com/reference/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/activecampaign:authentication/activecampaign-authentication.yml (copies the vendor's OpenAPI)",
            "NangoHQ/nango:packages/providers/providers.yaml",
            "ActiveCampaign/module-integration:Core/Helper/Curl.php",
            "ActiveCampaign/module-integration:Core/etc/adminhtml/system.xml",
        ],
        note: Some(
            "Copy the API URL from the developer settings of the account: the account name is its first part. Some accounts have the host ACCOUNT.activehosted.com instead of ACCOUNT.api-us1.com. Each user has one API key. The key has no scopes, and ActiveCampaign offers no OAuth.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "acuity-scheduling",
        title: "Acuity Scheduling",
        category: "calendar",
        base_url: "https://acuityscheduling.com/api/v1",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{user_id}",
                password: "{api_key}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `user_id` and `api_key`",
        fields: &[
            FieldFacts {
                name: "user_id",
                title: "User ID",
                is_secret: false,
            },
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://acuityscheduling.com/oauth2/authorize"),
            token_url: Some("https://acuityscheduling.com/oauth2/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["api-v1"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/me"),
        docs: "https://developers.acuityscheduling.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.acuityscheduling.com/v1.0/reference",
            "https://raw.githubusercontent.com/apideck-io/api-registry/master/specs/acuity-scheduling/auth.yaml (quotes the vendor's page)",
        ],
        note: Some(
            "OAuth apps must request the scope `api-v1`, which is the only scope. Acuity answers 401 to wrong credentials. A user on a plan without API access gets 403.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "adp",
        title: "ADP Workforce Now",
        category: "hris",
        base_url: "https://api.adp.com",
        auth: &[AlternativeFacts {
            has_client_certificate: true,
            ..AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            })
        }],
        needs: "secrets of the connection are missing: its owner must set `access_token`, `certificate` and `private_key`",
        fields: &[
            FieldFacts {
                name: "client_id",
                title: "Client ID",
                is_secret: false,
            },
            FieldFacts {
                name: "client_secret",
                title: "Client secret",
                is_secret: true,
            },
            FieldFacts {
                name: "certificate",
                title: "Client certificate (PEM)",
                is_secret: true,
            },
            FieldFacts {
                name: "private_key",
                title: "Private key of the certificate (PEM)",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            token_url: Some("https://accounts.adp.com/auth/oauth/v2/token"),
            client_auth: TokenEndpointAuth::Basic,
            is_client_credentials: true,
            rotation: Rotation::None,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developers.adp.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "adplabs/adp-connection-node:config/default.js",
            "adplabs/adp-connection-python:README.md",
            "adplabs/adp-connection-python:adp_connection/lib/adpapiconnection.py",
            "adplabs/adp-connection-ruby:lib/adp/api_connection.rb",
        ],
        note: Some(
            "ADP requires the client certificate for the token call and for every API call. What the client may call depends on the customer's consent, so no GET works for every client: check a connection with a token call. ADP's own client libraries use the token URL https://api.adp.com/auth/oauth/v2/token; some of these libraries send the client ID and the client secret by HTTP Basic, others in the body.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "aircall",
        title: "Aircall",
        category: "messaging",
        base_url: "https://api.aircall.io/v1",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{api_id}",
                password: "{api_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_id` and `api_token`",
        fields: &[
            FieldFacts {
                name: "api_id",
                title: "API ID",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://dashboard.aircall.io/oauth/authorize"),
            token_url: Some("https://api.aircall.io/v1/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["public_api"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/ping"),
        rate_limit_headers: &[
            "X-AircallApi-Limit",
            "X-AircallApi-Remaining",
            "X-AircallApi-Reset",
        ],
        docs: "https://developer.aircall.io/api-references/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.aircall.io/tutorials/how-aircall-oauth-flow-works",
            "https://developer.aircall.io/api-references/",
            "NangoHQ/nango:packages/providers/providers.yaml",
            "aircall/partner-example-app:.env.example",
            "aircall/partner-example-app:services/aircall_client.rb",
            "aircall/partner-example-app:services/oauth/install.rb",
        ],
        note: Some(
            "A user starts the OAuth installation in the Aircall dashboard, which opens the `install_uri` of the app. The app must request the scope `public_api`. The token URL expects the client ID and the client secret in a JSON body. Aircall shows two hosts for the authorization page: dashboard-v2.aircall.io in its example, and dashboard.aircall.io in its text.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "airtable",
        title: "Airtable",
        category: "knowledge",
        base_url: "https://api.airtable.com/v0",
        domains: &["content.airtable.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Personal access token (pat...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://airtable.com/oauth2/v1/authorize"),
            token_url: Some("https://airtable.com/oauth2/v1/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["data.records:read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/meta/whoami"),
        docs: "https://airtable.com/developers/web/api/introduction",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://airtable.com/developers/web/api/oauth-reference",
            "https://www.airtable.com/developers/web/api/oauth-reference.md",
            "Airtable/oauth-example:index.js",
        ],
        note: Some(
            "OAuth apps must use PKCE with S256, also if they have a client secret, and must request at least one scope. An app with a secret authenticates at the token URL with HTTP Basic; an app without a secret sends `client_id` in the body. The old API keys (`key...`) stopped working in 2024. Not confirmed by the vendor: `/meta/whoami` needs no scope and returns the email address only with `user.email:read`; the limit is 5 requests per second and base, and a 429 means a pause of 30 seconds.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "algolia",
        title: "Algolia Search",
        category: "operations",
        base_url: "https://{app_id}.algolia.net/1",
        variables: &[VariableFacts {
            name: "app_id",
            description: "the application ID in `APP_ID.algolia.net`: 10 letters and digits",
            pattern: "^[A-Za-z0-9]{10}$",
            default: None,
        }],
        domains: &[
            "{app_id}-dsn.algolia.net",
            "{app_id}-1.algolianet.com",
            "{app_id}-2.algolianet.com",
            "{app_id}-3.algolianet.com",
        ],
        auth: &[AlternativeFacts {
            also_headers: &[("x-algolia-application-id", "{app_id}")],
            ..AlternativeFacts::new(SchemeFacts::Header {
                name: "x-algolia-api-key",
                value: "{api_key}",
            })
        }],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/indexes?hitsPerPage=1"),
        docs: "https://www.algolia.com/doc/rest-api/search",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "algolia/api-clients-automation:specs/search/spec.yml",
            "algolia/api-clients-automation:specs/common/securitySchemes.yml",
            "algolia/api-clients-automation:specs/search/paths/keys/key.yml",
        ],
        note: Some(
            "To use the verify path, a key needs the right `listIndexes`. Any key may read its own rights at `/keys/{api_key}`, but that URL contains the key and may be logged. Algolia answers 403 to a wrong key. The hosts with -1, -2 and -3 on algolianet.com are for retries.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "amazon-selling-partner",
        title: "Amazon Selling Partner",
        category: "ecommerce",
        base_url: "https://sellingpartnerapi-{region}.amazon.com",
        variables: &[
            VariableFacts {
                name: "region",
                description: "the region of the API: `na`, `eu` or `fe`",
                pattern: "^(na|eu|fe)$",
                default: None,
            },
            VariableFacts {
                name: "seller_central",
                description: "the host of the marketplace's Seller Central, such as `sellercentral.amazon.com` or `sellercentral-europe.amazon.com`",
                pattern: r"^sellercentral(-[a-z]+)?\.amazon\.([a-z]{2,3}|co\.[a-z]{2}|com\.[a-z]{2})$",
                default: None,
            },
        ],
        domains: &["sandbox.sellingpartnerapi-{region}.amazon.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "x-amz-access-token",
            value: "{access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{seller_central}/apps/authorize/consent"),
            token_url: Some("https://api.amazon.com/auth/o2/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/sellers/v1/marketplaceParticipations"),
        rate_limit_headers: &["x-amzn-RateLimit-Limit"],
        docs: "https://developer-docs.amazon.com/sp-api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "amzn/selling-partner-api-models:models/sellers-api-model/sellers.json",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "The authorization page is on the Seller Central host of the marketplace. This flow is not standard OAuth: the page takes `application_id` instead of `client_id`, and returns `spapi_oauth_code` instead of `code`, so a plain OAuth client fails. Use the verify path rarely: its limit is 0.016 requests per second (burst 15). Restricted data needs a restricted data token from the Tokens API.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "amplitude",
        title: "Amplitude",
        category: "marketing",
        base_url: "https://amplitude.com/api",
        domains: &["analytics.eu.amplitude.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{api_key}",
            password: "{secret_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key` and `secret_key`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: false,
            },
            FieldFacts {
                name: "secret_key",
                title: "Secret key",
                is_secret: true,
            },
        ],
        verify: Some("/2/events/list"),
        docs: "https://amplitude.com/docs/apis",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "amplitude/amplitude-dev-center:docs/analytics/apis/dashboard-rest-api.md",
            "amplitude/amplitude-dev-center:docs/analytics/apis/behavioral-cohorts-api.md",
        ],
        note: Some(
            "This integration reads data. To send events, use another host (api2.amplitude.com or api.eu.amplitude.com), which expects the API key in the body. These facts are from a 2024 copy of Amplitude's documentation.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "anthropic",
        title: "Anthropic",
        category: "llm",
        base_url: "https://api.anthropic.com/v1",
        headers: &[("anthropic-version", "2023-06-01")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "x-api-key",
                value: "{api_key}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `token`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/models"),
        rate_limit_headers: &[
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
            "retry-after",
        ],
        docs: "https://docs.anthropic.com/en/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "anthropics/anthropic-sdk-python:src/anthropic/_client.py",
            "anthropics/anthropic-sdk-python:src/anthropic/resources/models.py",
            "anthropics/anthropic-sdk-typescript:src/client.ts",
        ],
        note: Some(
            "A request carries either the API key in `X-Api-Key`, or an OAuth or federated token as bearer, never both. The default API version `2023-06-01` is the version that Anthropic's SDKs send. Admin keys are a separate kind of key for `/v1/organizations` and cannot list models.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "apollo",
        title: "Apollo.io",
        category: "crm",
        base_url: "https://api.apollo.io/api/v1",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "X-Api-Key",
                value: "{api_key}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `access_token`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            token_url: Some("https://app.apollo.io/api/v1/oauth/token"),
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/auth/health"),
        verify_ok: Some("is_logged_in"),
        docs: "https://docs.apollo.io/reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.apollo.io/reference/authentication.md",
            "https://docs.apollo.io/docs/test-api-key.md",
        ],
        note: Some(
            "Read the body of the verify path `/auth/health`, which is Apollo's own example for testing a key. Some calls need a master key. OAuth 2.0 is for partners. Not confirmed by the vendor: a wrong key may get 200 with `is_logged_in: false`, so check this member; the OAuth URLs of this entry; PKCE is not supported.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "asana",
        title: "Asana",
        category: "ticketing",
        base_url: "https://app.asana.com/api/1.0",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Personal access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.asana.com/-/oauth_authorize"),
            token_url: Some("https://app.asana.com/-/oauth_token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://developers.asana.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "Asana/openapi:defs/asana_oas.yaml",
            "Asana/developer-docs:source/includes/markdown/_auth.html.md",
        ],
        note: Some(
            "An app has either full permissions (scope `default`, also used if the request names no scope) or granular scopes such as `tasks:read`. Request the scopes that your app is registered for: this entry sets none. With granular scopes, the verify path `/users/me` needs `users:read`. PKCE with S256 is supported.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "ashby",
        title: "Ashby",
        category: "ats",
        base_url: "https://api.ashbyhq.com",
        headers: &[
            ("Accept", "application/json; version=1"),
            ("Content-Type", "application/json"),
        ],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{api_key}",
            password: "",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        docs: "https://developers.ashbyhq.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.ashbyhq.com/reference/authentication.md",
            "https://developers.ashbyhq.com/reference/introduction.md",
            "NangoHQ/nango:packages/providers/providers.yaml (apiKey.info)",
        ],
        note: Some(
            "All calls are POST requests, so there is no verify path: send POST `/apiKey.info` to check a key. Ashby answers 401 to a missing key and 403 to a wrong key. A valid key without the permission also gets 403, with `missing_endpoint_permission` in the body.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "attio",
        title: "Attio",
        category: "crm",
        base_url: "https://api.attio.com/v2",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.attio.com/authorize"),
            token_url: Some("https://app.attio.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/self"),
        verify_ok: Some("active"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://docs.attio.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.attio.com/rest-api/guides/authentication",
            "https://docs.attio.com/rest-api/guides/configuring-oauth.md",
            "NangoHQ/nango: post-connection hook (verify path)",
            "amp-labs/connectors:providers/attio.go",
            "https://docs.attio.com/rest-api/endpoint-reference/meta/identify.md",
            "https://docs.attio.com/docs/oauth/token",
        ],
        note: Some(
            "Read the body of `/self`: for an invalid token, it contains `\"active\": false`. A new API key has no scopes until you choose them; the scopes of an OAuth app are set in the app's settings. OAuth access tokens come without a refresh token. An unpublished app is limited to 25 workspaces.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "aws-bedrock",
        title: "Amazon Bedrock runtime",
        category: "llm",
        base_url: "https://bedrock-runtime.{region}.amazonaws.com",
        variables: &[VariableFacts {
            name: "region",
            description: "the AWS region, such as `us-east-1`",
            pattern: "^[a-z]{2}(-[a-z]+)+-[0-9]$",
            default: None,
        }],
        domains: &[
            "bedrock.{region}.amazonaws.com",
            "bedrock-agent-runtime.{region}.amazonaws.com",
        ],
        auth: &[
            AlternativeFacts::new(SchemeFacts::SigV4 {
                service: "bedrock",
                region: "{region}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_key_id` and `secret_access_key`, or `token`",
        fields: &[
            FieldFacts {
                name: "access_key_id",
                title: "Access key ID",
                is_secret: false,
            },
            FieldFacts {
                name: "secret_access_key",
                title: "Secret access key",
                is_secret: true,
            },
            FieldFacts {
                name: "session_token",
                title: "Session token (temporary credentials only)",
                is_secret: true,
            },
            FieldFacts {
                name: "token",
                title: "Bedrock API key (instead of the access key)",
                is_secret: true,
            },
        ],
        docs: "https://docs.aws.amazon.com/bedrock/latest/APIReference/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html",
            "openai/openai-python:README.md",
        ],
        note: Some(
            "No GET on the runtime host works for every identity. On the host bedrock.REGION.amazonaws.com, GET `/foundation-models` lists the models if IAM allows `bedrock:ListFoundationModels`. AWS answers 403 both to a wrong signature and to a missing right: the error type in the answer tells which. Bedrock API keys work only for the actions of Bedrock and Bedrock Runtime, and not on the agent runtime host; short-term keys last up to 12 hours. An endpoint that is compatible with OpenAI is at https://bedrock-mantle.REGION.api.aws/openai/v1.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "aws-s3",
        title: "Amazon S3",
        category: "storage",
        base_url: "https://s3.{region}.amazonaws.com",
        variables: &[VariableFacts {
            name: "region",
            description: "the AWS region of the bucket, such as `eu-central-1`",
            pattern: "^[a-z]{2}(-[a-z]+)+-[0-9]$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::SigV4 {
            service: "s3",
            region: "{region}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_key_id` and `secret_access_key`",
        fields: &[
            FieldFacts {
                name: "access_key_id",
                title: "Access key ID",
                is_secret: false,
            },
            FieldFacts {
                name: "secret_access_key",
                title: "Secret access key",
                is_secret: true,
            },
            FieldFacts {
                name: "session_token",
                title: "Session token (temporary credentials only)",
                is_secret: true,
            },
        ],
        docs: "https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.aws.amazon.com/sdkfornet/v4/apidocs/items/S3/TListBucketsRequest.html",
            "boto/botocore:botocore/data/endpoints.json",
            "boto/botocore:botocore/data/s3/2006-03-01/service-2.json",
            "boto/botocore:botocore/data/sts/2011-06-15/service-2.json",
        ],
        note: Some(
            "GET `/` lists the buckets and needs `s3:ListAllMyBuckets`, so check a narrow key by a request to its bucket. `GetCallerIdentity` at https://sts.REGION.amazonaws.com needs no permission, but is another host and service. Buckets also answer at BUCKET.s3.REGION.amazonaws.com. China uses amazonaws.com.cn, the European Sovereign Cloud uses amazonaws.eu, and GovCloud has regions of its own.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "azure-devops",
        title: "Azure DevOps",
        category: "code",
        base_url: "https://dev.azure.com/{organization}",
        variables: &[
            VariableFacts {
                name: "organization",
                description: "the organization in `dev.azure.com/ORGANIZATION`, such as `contoso`",
                pattern: "^[A-Za-z0-9][A-Za-z0-9-]*$",
                default: None,
            },
            VariableFacts {
                name: "tenant",
                description: "the Microsoft Entra ID tenant: its ID, its domain, or `organizations` for any work account",
                pattern: "^[A-Za-z0-9][A-Za-z0-9.-]*$",
                default: Some("organizations"),
            },
        ],
        domains: &[
            "vssps.dev.azure.com",
            "vsaex.dev.azure.com",
            "vsrm.dev.azure.com",
            "feeds.dev.azure.com",
            "pkgs.dev.azure.com",
            "almsearch.dev.azure.com",
        ],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "",
                password: "{personal_access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `personal_access_token`, or `access_token`",
        fields: &[FieldFacts {
            name: "personal_access_token",
            title: "Personal access token (of this organization)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize"),
            token_url: Some("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
            scopes: &[
                "499b84ac-1321-427f-aa17-267ca6975798/.default",
                "offline_access",
            ],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/_apis/projects?$top=1&api-version=7.1"),
        rate_limit_headers: &[
            "X-RateLimit-Resource",
            "X-RateLimit-Delay",
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://learn.microsoft.com/rest/api/azure/devops/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://learn.microsoft.com/zh-cn/vsts/integrate/get-started/authentication/pats",
            "https://learn.microsoft.com/vsts/integrate/get-started/auth/oauth",
            "https://learn.microsoft.com/sv-se/rest/api/azure/devops/tokens",
        ],
        note: Some(
            "Use a personal access token of one organization: tokens for all organizations stop working on 2026-12-01, and have not been issued since 2026-03-15. OAuth means Microsoft Entra ID, because the OAuth of Azure DevOps takes no new apps since April 2025 and ends in 2026. Azure DevOps often answers a wrong token with a redirect or a sign-in page (203 or 202), so only a 200 with JSON is a success. The verify path needs the right `vso.project`; without it, the answer is 401 or 403. Not confirmed by the vendor: the OAuth URLs of this entry.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "azure-openai",
        title: "Azure OpenAI",
        category: "llm",
        base_url: "https://{resource}.openai.azure.com/openai",
        variables: &[VariableFacts {
            name: "resource",
            description: "the resource name in `RESOURCE.openai.azure.com`, such as `my-models`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        domains: &[
            "{resource}.cognitiveservices.azure.com",
            "{resource}.services.ai.azure.com",
        ],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "api-key",
                value: "{api_key}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `token`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key (key 1 or key 2 of the resource)",
            is_secret: true,
        }],
        verify: Some("/v1/models"),
        rate_limit_headers: &[
            "x-ratelimit-remaining-requests",
            "x-ratelimit-remaining-tokens",
            "retry-after",
        ],
        docs: "https://learn.microsoft.com/azure/ai-services/openai/reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://learn.microsoft.com/en-us/azure/foundry/openai/api-version-lifecycle",
            "https://learn.microsoft.com/en-us/azure/foundry/reference/rest/open-ai-models-list-models",
            "openai/openai-python:src/openai/lib/azure.py",
        ],
        note: Some(
            "Use the v1 API (`/openai/v1/...`): since August 2025 it needs no `api-version`. Older paths (`/openai/deployments/...`) answer 404 without `?api-version=`. A Microsoft Entra ID token goes as bearer and needs the role Cognitive Services OpenAI User. Resources of Foundry are also served at RESOURCE.services.ai.azure.com/openai/v1.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "bamboohr",
        title: "BambooHR",
        category: "hris",
        base_url: "https://{company}.bamboohr.com/api",
        variables: &[VariableFacts {
            name: "company",
            description: "the subdomain in `COMPANY.bamboohr.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        domains: &["api.bamboohr.com"],
        headers: &[("Accept", "application/json")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{api_key}",
                password: "x",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `access_token`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: true,
            },
            FieldFacts {
                name: "company",
                title: "Subdomain",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{company}.bamboohr.com/authorize.php"),
            token_url: Some("https://{company}.bamboohr.com/token.php?request=token"),
            authorize_params: &[("request", "authorize")],
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/meta/fields"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://documentation.bamboohr.com/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "BambooHR/bhr-api-php:AUTHENTICATION.md",
            "BambooHR/bhr-api-php:lib/Client/Auth/BambooHRTokenRefreshProvider.php",
            "BambooHR/bhr-api-php:README.md",
        ],
        note: Some(
            "Each OAuth refresh returns a new access token and a new refresh token: store both. A valid key without access to fields can be refused at the verify path `/v1/meta/fields`. The same paths are also served at https://api.bamboohr.com/api/gateway.php/COMPANY. The OAuth URLs need `request=authorize` and `request=token`, which this entry sends.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "basecamp",
        title: "Basecamp",
        category: "ticketing",
        base_url: "https://3.basecampapi.com/{account_id}",
        variables: &[VariableFacts {
            name: "account_id",
            description: "the numeric account ID in `3.basecampapi.com/ACCOUNT_ID`, from authorization.json, such as `1234567`",
            pattern: "^[0-9]+$",
            default: None,
        }],
        headers: &[(
            "User-Agent",
            "tower-passthrough (https://github.com/tower-passthrough/tower-passthrough)",
        )],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://launchpad.37signals.com/authorization/new"),
            token_url: Some("https://launchpad.37signals.com/authorization/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/my/profile.json"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://github.com/basecamp/bc3-api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "basecamp/bc3-api:sections/authentication.md",
            "basecamp/bc3-api:README.md",
            "basecamp/bc3-api:sections/people.md",
            "basecamp/basecamp-sdk:README.md",
            "basecamp/basecamp-sdk:SECURITY.md",
        ],
        note: Some(
            "Basecamp requires a User-Agent with contact details, and answers 400 without: send the name and the contact of your app. GET https://launchpad.37signals.com/authorization.json lists the user's accounts; those with the product `bc3` work here. Access tokens last 2 weeks. Do not send `type=web_server` or `type=refresh` in OAuth calls: Basecamp calls them legacy.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "bigcommerce",
        title: "BigCommerce",
        category: "ecommerce",
        base_url: "https://api.bigcommerce.com/stores/{store_hash}",
        variables: &[VariableFacts {
            name: "store_hash",
            description: "the store hash in `api.bigcommerce.com/stores/HASH`, such as `abc123`",
            pattern: "^[a-z0-9]+$",
            default: None,
        }],
        headers: &[("Accept", "application/json")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "X-Auth-Token",
                value: "{token}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "X-Auth-Token",
                value: "{access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `token`, or `access_token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API account access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            token_url: Some("https://login.bigcommerce.com/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["store_v2_information_read_only"],
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v2/time"),
        rate_limit_headers: &[
            "X-Rate-Limit-Requests-Left",
            "X-Rate-Limit-Requests-Quota",
            "X-Rate-Limit-Time-Reset-Ms",
            "X-Rate-Limit-Time-Window-Ms",
        ],
        docs: "https://developer.bigcommerce.com/docs/api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "bigcommerce/docs:reference/store_information.v2.yml",
            "bigcommerce/docs:docs/integrations/apps/guide/auth.mdx",
            "bigcommerce/docs:docs/start/authentication/api-accounts.mdx",
            "bigcommerce/docs:docs/api-docs/getting-started/api-rate-limits.mdx",
        ],
        note: Some(
            "The OAuth installation starts in the store's control panel, which calls your app with `code`, `scope` and `context`. Your app must send `context` and `scope` back in the token call, so a plain OAuth client fails. `context` contains the store hash (`stores/HASH`). Tokens do not expire by time. BigCommerce offers the verify path `/v2/time` for testing credentials.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "bitbucket",
        title: "Bitbucket Cloud",
        category: "code",
        base_url: "https://api.bitbucket.org/2.0",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{email}",
                password: "{api_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `email` and `api_token`",
        fields: &[
            FieldFacts {
                name: "email",
                title: "Email address of the Atlassian account",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token (with Bitbucket scopes)",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://bitbucket.org/site/oauth2/authorize"),
            token_url: Some("https://bitbucket.org/site/oauth2/access_token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Static,
            scopes: &["account"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/user"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Resource",
            "X-RateLimit-NearLimit",
        ],
        docs: "https://developer.atlassian.com/cloud/bitbucket/rest/intro/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://support.atlassian.com/bitbucket-cloud/kb/getting-401-http-error-while-authenticating-to-bitbucket-cloud-rest-apis",
            "apache/devlake#8604",
        ],
        note: Some(
            "Use the email address of the Atlassian account with an API token that has Bitbucket scopes: app passwords stopped working on 2026-06-09. Access tokens of a workspace, project or repository go as bearer, and cannot call `/user`. The scopes of an OAuth app are set in its OAuth consumer. Not confirmed by the vendor: the verify path, the scope `account`, and that access tokens last 2 hours.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "box",
        title: "Box",
        category: "storage",
        base_url: "https://api.box.com/2.0",
        domains: &["upload.box.com", "dl.boxcloud.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://account.box.com/api/oauth2/authorize"),
            token_url: Some("https://api.box.com/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://developer.box.com/reference/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "box/box-openapi:openapi.json",
            "box/developer.box.com:content/guides/authentication/tokens/refresh.md",
            "box/developer.box.com:content/guides/api-calls/permissions-and-errors/rate-limits.md",
        ],
        note: Some(
            "A refresh token works once, within 60 days: store the new refresh token after each refresh. Scopes are set in the app; the parameter `scope` can only narrow them. For large uploads, call the host that Box names in its answer. Box's OpenAPI description lists no parameter for PKCE.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "braze",
        title: "Braze",
        category: "marketing",
        base_url: "https://rest.{instance}",
        variables: &[VariableFacts {
            name: "instance",
            description: "the REST host after `rest.`, such as `iad-05.braze.com`, `us-10.braze.com`, `fra-01.braze.eu` or `au-01.braze.com`",
            pattern: r"^[a-z]+-[0-9]{2}\.braze\.(com|eu)$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "REST API key",
            is_secret: true,
        }],
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://www.braze.com/docs/api/basics",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://braze.com/docs/user_guide/administer/personal/sdk_endpoints/",
            "braze-inc/braze-docs:_docs/_api/basics.md",
            "api-evangelist/braze:authentication/braze-authentication.yml",
        ],
        note: Some(
            "A key works only on the cluster of its account: another cluster answers 401. Rights are given for each endpoint, and a key without the right gets 401 or 403, so there is no verify path for all keys. GET `/campaigns/list?page=0` checks a key that has `campaigns.list`. A key can have an IP allow list.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "brevo",
        title: "Brevo",
        category: "marketing",
        base_url: "https://api.brevo.com/v3",
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "api-key",
            value: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key (xkeysib-...)",
            is_secret: true,
        }],
        verify: Some("/account"),
        rate_limit_headers: &[
            "x-sib-ratelimit-limit",
            "x-sib-ratelimit-remaining",
            "x-sib-ratelimit-reset",
        ],
        docs: "https://developers.brevo.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "getbrevo/brevo-python:README.md",
            "getbrevo/brevo-python:brevo_python/api/account_api.py",
        ],
        note: Some(
            "Partner accounts use another header, `partner-key`. Not confirmed by the vendor: calls from IP addresses outside the account's allow list also get 401.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "cal-com",
        title: "Cal.com",
        category: "calendar",
        base_url: "https://api.cal.com/v2",
        headers: &[("cal-api-version", "2024-08-13")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `token`, or `access_token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (cal_live_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.cal.com/auth/oauth2/authorize"),
            token_url: Some("https://api.cal.com/v2/auth/oauth2/token"),
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/me"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://cal.com/docs/api-reference/v2/introduction",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://cal.com/docs/api-reference/v2/oauth2/exchange-authorization-code-or-refresh-token-for-tokens.md",
            "https://www.mintlify.com/calcom/cal.com/api/authentication",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Each family of endpoints (bookings, slots, event types) has its own date for `cal-api-version`. The default date of this entry may be wrong for your endpoint: then send the header yourself. The OAuth token URL takes `client_id` in a form or JSON body. Managed users of the platform are deprecated.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "calendly",
        title: "Calendly",
        category: "calendar",
        base_url: "https://api.calendly.com",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Personal access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.calendly.com/oauth/authorize"),
            token_url: Some("https://auth.calendly.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["users:read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://developer.calendly.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-refresh-token.md",
            "https://developer.calendly.com/creating-an-oauth-app",
            "https://developer.calendly.com/docs/authentication/scopes",
            "https://docs.unified.to/skills/calendly-oauth-app/SKILL.md",
            "calendly/buzzwordcrm:.env.example",
            "calendly/buzzwordcrm:calendlyOauth2Strategy/index.js",
        ],
        note: Some(
            "Calendly asks all OAuth apps to use PKCE with S256. A web app authenticates with HTTP Basic; a native app sends `client_id` in the body. A refresh token works once and does not expire before its use: store the new one. A user gets at most 8 tokens per minute. A scope has the form `DOMAIN:read` or `DOMAIN:write`, and write includes read. Not confirmed by the vendor: since 2026-03-03, a new app or token may do nothing without scopes; `/users/me` needs `users:read`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "chargebee",
        title: "Chargebee",
        category: "payments",
        base_url: "https://{site}.chargebee.com/api/v2",
        variables: &[VariableFacts {
            name: "site",
            description: "the site name in `SITE.chargebee.com`, such as `acme`; names of test sites end in `-test`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{api_key}",
            password: "",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/customers?limit=1"),
        docs: "https://apidocs.chargebee.com/docs/api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "api-evangelist/chargebee:authentication/chargebee-authentication.yml",
            "chargebee/chargebee-python:chargebee/environment.py",
            "chargebee/chargebee-python:chargebee/http_request.py",
        ],
        note: Some(
            "A valid key can be restricted or write-only. Such a key may get 403 at the verify path, which does not mean that the key is wrong.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "circleci",
        title: "CircleCI",
        category: "code",
        base_url: "https://circleci.com/api",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Circle-Token",
                value: "{api_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_token`, or `token`",
        fields: &[FieldFacts {
            name: "api_token",
            title: "Personal API token",
            is_secret: true,
        }],
        verify: Some("/v2/me"),
        rate_limit_headers: &[
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "X-RateLimit-Limit-Second",
            "X-RateLimit-Limit-Minute",
            "X-RateLimit-Limit-Hour",
            "X-RateLimit-Limit-Day",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://circleci.com/docs/api/v2/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "circleci/circleci-docs:docs/guides/modules/toolkit/pages/api-developers-guide.adoc",
        ],
        note: Some(
            "Use a personal token: project tokens do not work with API v2. CircleCI's guide shows the token as bearer first; the header `Circle-Token` also works. If an answer has both families of rate limit headers, the lower limit applies.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "clickup",
        title: "ClickUp",
        category: "ticketing",
        base_url: "https://api.clickup.com/api",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Authorization",
                value: "{api_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_token`",
        fields: &[FieldFacts {
            name: "api_token",
            title: "Personal API token (pk_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.clickup.com/api"),
            token_url: Some("https://api.clickup.com/api/v2/oauth/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v2/user"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://developer.clickup.com/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://developer.clickup.com/docs/authentication.md",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "The user chooses the workspaces during authorization, because ClickUp has no scopes. A personal token does not expire, and is sent without `Bearer`. The paths of v2 and v3 are both below `/api`. Not confirmed by the vendor: OAuth tokens do not expire today.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "close",
        title: "Close",
        category: "crm",
        base_url: "https://api.close.com/api/v1",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{api_key}",
                password: "",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `access_token`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.close.com/oauth2/authorize/"),
            token_url: Some("https://api.close.com/oauth2/token/"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/me/"),
        rate_limit_headers: &["RateLimit", "Retry-After"],
        docs: "https://developer.close.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.close.com/api/overview/oauth-authentication.md",
            "closeio/closeio-api:closeio_api/__init__.py",
        ],
        note: Some(
            "Keep the trailing slash of both OAuth URLs: without it, Close redirects, and a POST loses its body. Not confirmed by the vendor: no scope needs to be requested.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "cloudflare",
        title: "Cloudflare",
        category: "operations",
        base_url: "https://api.cloudflare.com/client/v4",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
            AlternativeFacts {
                also_headers: &[("X-Auth-Email", "{email}")],
                ..AlternativeFacts::new(SchemeFacts::Header {
                    name: "X-Auth-Key",
                    value: "{api_key}",
                })
            },
        ],
        needs: "secrets of the connection are missing: its owner must set `token`, or `api_key` and `email`",
        fields: &[
            FieldFacts {
                name: "token",
                title: "API token",
                is_secret: true,
            },
            FieldFacts {
                name: "email",
                title: "Email address of the account, for the global API key",
                is_secret: false,
            },
            FieldFacts {
                name: "api_key",
                title: "Global API key",
                is_secret: true,
            },
        ],
        verify: Some("/user/tokens/verify"),
        rate_limit_headers: &["Ratelimit", "Ratelimit-Policy", "retry-after"],
        docs: "https://developers.cloudflare.com/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.cloudflare.com/api/go/resources/user/subresources/tokens/methods/verify",
            "https://developers.cloudflare.com/api/resources/accounts/subresources/tokens/methods/verify",
            "cloudflare/cloudflare-python:src/cloudflare/_client.py",
        ],
        note: Some(
            "The verify path works only for tokens of a user. Check a token of an account with GET `/accounts/ACCOUNT_ID/tokens/verify`. Read `status` in the answer: a token can be `disabled` or `expired`. The global API key (`X-Auth-Email` with `X-Auth-Key`) is legacy; Cloudflare's client still supports it. `X-Auth-User-Service-Key` is for the origin CA.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "cohere",
        title: "Cohere",
        category: "llm",
        base_url: "https://api.cohere.com",
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/v1/models"),
        docs: "https://docs.cohere.com/reference/about",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["cohere-ai/cohere-developer-experience:cohere-openapi.yaml"],
        note: Some(
            "POST `/v1/check-api-key` checks a key as well. The verify path `/v1/models` answers 401 or 403 to a wrong key.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "confluence",
        title: "Confluence Cloud",
        category: "knowledge",
        base_url: "https://api.atlassian.com/ex/confluence/{cloud_id}",
        variables: &[VariableFacts {
            name: "cloud_id",
            description: "the cloud ID of the site, a UUID from `https://api.atlassian.com/oauth/token/accessible-resources`",
            pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{email}",
                password: "{api_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `email` and `api_token`",
        fields: &[
            FieldFacts {
                name: "email",
                title: "Email address of the Atlassian account",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.atlassian.com/authorize"),
            token_url: Some("https://auth.atlassian.com/oauth/token"),
            authorize_params: &[("audience", "api.atlassian.com"), ("prompt", "consent")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["read:space:confluence", "offline_access"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/wiki/api/v2/spaces?limit=1"),
        docs: "https://developer.atlassian.com/cloud/confluence/rest/v2/intro/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/",
            "https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/",
            "https://mrrefactoring.github.io/confluence.js/guide/oauth2",
        ],
        note: Some(
            "GET https://api.atlassian.com/oauth/token/accessible-resources lists the user's sites with their cloud IDs. OAuth tokens work only at api.atlassian.com/ex/confluence/CLOUD_ID; the host of the site answers 401. Request `offline_access`, or no refresh token is issued. Paths of v1 (`/wiki/rest/api`) need classic scopes, paths of v2 (`/wiki/api/v2`) granular scopes. Email address and API token work at SITE.atlassian.net/wiki, and for a token with scopes also at this base URL. API tokens expire within a year.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "contentful",
        title: "Contentful",
        category: "documents",
        base_url: "https://api.contentful.com",
        domains: &[
            "cdn.contentful.com",
            "preview.contentful.com",
            "upload.contentful.com",
            "api.eu.contentful.com",
            "cdn.eu.contentful.com",
        ],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Personal access token (CFPAT-...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://be.contentful.com/oauth/authorize"),
            token_url: Some("https://be.contentful.com/oauth/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["content_management_read"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &[
            "X-Contentful-RateLimit-Reset",
            "X-Contentful-RateLimit-Second-Limit",
            "X-Contentful-RateLimit-Second-Remaining",
            "X-Contentful-RateLimit-Hour-Limit",
            "X-Contentful-RateLimit-Hour-Remaining",
        ],
        docs: "https://www.contentful.com/developers/docs/references/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://contentful.com/developers/docs/references/content-management-api/overview",
            "https://contentful.com/developers/docs/platform/eu-data-residency/llms.txt",
            "https://contentful.com/developers/docs/references/content-delivery-api/overview",
            "contentful/contentful-management.js:lib/adapters/REST/rest-adapter.ts",
        ],
        note: Some(
            "Use a management token at this base URL: a management token works only on the hosts api. and upload. The keys for delivery and preview work only on cdn. and preview. Customers with EU residency have the hosts api.eu, cdn.eu, preview.eu and upload.eu; a token of one region does not work in the other. Not confirmed by the vendor: the OAuth URLs and the scope names.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "copper",
        title: "Copper",
        category: "crm",
        base_url: "https://api.copper.com/developer_api/v1",
        headers: &[
            ("Content-Type", "application/json"),
            ("X-PW-Application", "developer_api"),
        ],
        auth: &[
            AlternativeFacts {
                also_headers: &[("X-PW-UserEmail", "{email}")],
                ..AlternativeFacts::new(SchemeFacts::Header {
                    name: "X-PW-AccessToken",
                    value: "{api_key}",
                })
            },
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key` and `email`, or `access_token`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: true,
            },
            FieldFacts {
                name: "email",
                title: "Email address of the user who created the key",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.copper.com/oauth/authorize"),
            token_url: Some("https://app.copper.com/oauth/token"),
            scopes: &["developer/v1/all"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developer.copper.com/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://developers.apideck.com/apis/crm/copper/connection",
            "https://nango.dev/docs/integrations/all/copper-api-key/connect",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Only an admin of the account can create an API key. For OAuth, ask Copper for a client. Not confirmed by the vendor: GET `/account` checks a key.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "datadog",
        title: "Datadog",
        category: "operations",
        base_url: "https://api.{site}/api",
        variables: &[VariableFacts {
            name: "site",
            description: "the Datadog site of the account, such as `datadoghq.com`, `us5.datadoghq.com` or `datadoghq.eu`",
            pattern: r"^(datadoghq\.com|us3\.datadoghq\.com|us5\.datadoghq\.com|datadoghq\.eu|ap1\.datadoghq\.com|ap2\.datadoghq\.com|uk1\.datadoghq\.com|(us2\.)?ddog-gov\.com)$",
            default: None,
        }],
        auth: &[AlternativeFacts {
            also_headers: &[("DD-APPLICATION-KEY", "{application_key}")],
            ..AlternativeFacts::new(SchemeFacts::Header {
                name: "DD-API-KEY",
                value: "{api_key}",
            })
        }],
        needs: "secrets of the connection are missing: its owner must set `api_key` and `application_key`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: true,
            },
            FieldFacts {
                name: "application_key",
                title: "Application key",
                is_secret: true,
            },
        ],
        verify: Some("/v2/validate_keys"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Period",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-RateLimit-Name",
        ],
        docs: "https://docs.datadoghq.com/api/latest/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "DataDog/datadog-api-client-python:src/datadog_api_client/configuration.py",
            "DataDog/datadog-api-client-python:src/datadog_api_client/v2/api/key_management_api.py",
        ],
        note: Some(
            "The verify path checks both keys. `/v1/validate` and `/v2/validate` check only the API key. To send logs, use the host http-intake.logs.SITE, which needs only the API key.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "deel",
        title: "Deel",
        category: "hris",
        base_url: "https://api.letsdeel.com/rest",
        domains: &["api-sandbox.demo.deel.com"],
        auth: &[
            AlternativeFacts {
                also_headers: &[("x-client-id", "{client_id}")],
                ..AlternativeFacts::new(SchemeFacts::OAuth2 {
                    header: "Authorization",
                    value: "Bearer {access_token}",
                })
            },
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token` and `client_id`, or `token`",
        fields: &[
            FieldFacts {
                name: "token",
                title: "API token (organization or personal)",
                is_secret: true,
            },
            FieldFacts {
                name: "client_id",
                title: "Client ID of the OAuth app",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.deel.com/oauth2/authorize"),
            token_url: Some("https://app.deel.com/oauth2/tokens"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            scopes: &["contracts:read"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v2/people/me"),
        docs: "https://developer.deel.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.deel.com/api/stable/oauth.md",
            "https://developer.deel.com/changelog/v1-27",
            "https://developer.deel.com/api/beta/authentication",
            "https://developer.deel.com/v2.6.1/docs/oauth2",
            "amp-labs/connectors:providers/deel.go",
        ],
        note: Some(
            "With an OAuth token, each call also needs the client ID, which this entry sends in `x-client-id`. Kinds of tokens differ in what they may call: `/v2/people/me` may refuse an organization token. The sandbox signs in at app.demo.deel.com (formerly demo.letsdeel.com), and its API is at api-sandbox.demo.deel.com. API versions are dates now, such as 2026-01-01. Not confirmed by the vendor: the name of the header for the client ID.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "deepseek",
        title: "DeepSeek",
        category: "llm",
        base_url: "https://api.deepseek.com",
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/user/balance"),
        docs: "https://api-docs.deepseek.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/deepseek:openapi/_original/deepseek-lists-models-api-openapi.yml",
            "api-evangelist/deepseek:openapi/_original/deepseek-user-balance-api-openapi.yml",
            "https://api-docs.deepseek.com/api/get-user-balance.md",
        ],
        note: Some(
            "The verify path returns the balance of the account; GET `/models` also checks a key. Beta features are below `/beta`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "dialpad",
        title: "Dialpad",
        category: "messaging",
        base_url: "https://dialpad.com/api/v2",
        domains: &["sandbox.dialpad.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://dialpad.com/oauth2/authorize"),
            token_url: Some("https://dialpad.com/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        docs: "https://developers.dialpad.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["dialpad/dialpad-python-sdk:dialpad_api_spec.json"],
        note: Some(
            "The verify path `/users/me` works only with a key of a user. Check a company key with GET `/offices`, or as admin with GET `/company`. The OAuth token URL takes a JSON body with the client ID and the client secret. The parameter `scope` names only additional scopes. Dialpad also accepts the key as `?apikey=`, but a URL may be logged.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "digitalocean",
        title: "DigitalOcean",
        category: "operations",
        base_url: "https://api.digitalocean.com/v2",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Personal access token (dop_v1_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://cloud.digitalocean.com/v1/oauth/authorize"),
            token_url: Some("https://cloud.digitalocean.com/v1/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["read"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/account"),
        rate_limit_headers: &[
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "retry-after",
        ],
        docs: "https://docs.digitalocean.com/reference/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "digitalocean/openapi:specification/DigitalOcean-public.v2.yaml",
            "digitalocean/openapi:specification/description.yml",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "A token with custom scopes needs `account:read` for the verify path; without it, the answer is 403. Inference and Spaces use other hosts and other keys. Not confirmed by the vendor: the OAuth URLs.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "discord",
        title: "Discord",
        category: "messaging",
        base_url: "https://discord.com/api/v10",
        headers: &[(
            "User-Agent",
            "DiscordBot (https://github.com/tower-passthrough/tower-passthrough, 0.1)",
        )],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Authorization",
                value: "Bot {bot_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `bot_token`",
        fields: &[FieldFacts {
            name: "bot_token",
            title: "Bot token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://discord.com/oauth2/authorize"),
            token_url: Some("https://discord.com/api/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["identify"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/@me"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-RateLimit-Reset-After",
            "X-RateLimit-Bucket",
            "X-RateLimit-Global",
            "X-RateLimit-Scope",
            "Retry-After",
        ],
        docs: "https://discord.com/developers/docs/reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "discord/discord-api-docs:developers/topics/oauth2.mdx",
            "discord/discord-api-docs:developers/reference.mdx",
            "discord/discord-api-docs:developers/discord-social-sdk/development-guides/account-linking-on-mobile.mdx",
        ],
        note: Some(
            "Discord requires a User-Agent of the form `DiscordBot (URL, VERSION)`, and may block a client without it: send the values of your app. `/users/@me` works for a bot token, and for OAuth with the scope `identify`. `/oauth2/@me` works for every OAuth token, and not for a bot token. The token URL has no version in its path; the client may authenticate there with HTTP Basic or in the body. PKCE is supported, also for confidential clients.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "docusign",
        title: "DocuSign eSignature",
        category: "documents",
        base_url: "https://{host}.docusign.net/restapi",
        variables: &[
            VariableFacts {
                name: "account_id",
                description: "the account ID (a UUID), from `/oauth/userinfo`",
                pattern: "^[0-9a-f-]+$",
                default: None,
            },
            VariableFacts {
                name: "host",
                description: "the first part of the account's host, from `base_uri` of `/oauth/userinfo`, such as `na3`, `eu` or `demo`",
                pattern: "^[a-z0-9]+$",
                default: None,
            },
        ],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://account.docusign.com/oauth/auth"),
            token_url: Some("https://account.docusign.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["signature"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v2.1/accounts/{account_id}"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-BurstLimit-Limit",
            "X-BurstLimit-Remaining",
        ],
        docs: "https://developers.docusign.com/docs/esign-rest-api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.docusign.com/platform/auth/authcode.md",
            "https://developers.docusign.com/platform/auth/reference/obtain-access-token",
            "https://developers.docusign.com/docs/esign-rest-api/esign101/auth/",
            "https://developers.docusign.com/changelog/03-02-2023.md",
            "docusign/docusign-esign-python-client:docusign_esign/client/auth/oauth.py",
            "docusign/docusign-esign-python-client:docusign_esign/client/api_client.py",
        ],
        note: Some(
            "After consent, call GET https://account.docusign.com/oauth/userinfo: it returns the `account_id` and the `base_uri` with the host. Request the scope `extended` together with `signature`: each refresh then starts a new full term, and without `extended` the refresh token ends about 30 days after consent. Demo accounts sign in at account-d.docusign.com, so they do not work with this entry's OAuth URLs. PKCE is supported since 2023, also for public clients without a secret.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "dropbox",
        title: "Dropbox",
        category: "storage",
        base_url: "https://api.dropboxapi.com/2",
        domains: &["content.dropboxapi.com", "notify.dropboxapi.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.dropbox.com/oauth2/authorize"),
            token_url: Some("https://api.dropboxapi.com/oauth2/token"),
            authorize_params: &[("token_access_type", "offline")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["account_info.read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        rate_limit_headers: &["Retry-After"],
        docs: "https://www.dropbox.com/developers/documentation/http/documentation",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "dropbox/dropbox-api-spec:users.stone",
            "dropbox/dropbox-api-spec:check.stone",
            "dropbox/dropbox-sdk-python:dropbox/oauth.py",
        ],
        note: Some(
            "All calls are POST requests, so there is no verify path. To check a token, send POST `/check/user` with `{\"query\":\"x\"}`, or POST `/users/get_current_account` with the body `null`; both need `account_info.read`. A token of a team also needs the header `Dropbox-API-Select-User`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "dynamics-365",
        title: "Microsoft Dynamics 365 (Dataverse)",
        category: "crm",
        base_url: "https://{org}.{region}.dynamics.com/api/data/v9.2",
        variables: &[
            VariableFacts {
                name: "org",
                description: "the unique name of the environment in `ORG.crm.dynamics.com`, such as `contoso`",
                pattern: "^[a-z0-9-]+$",
                default: None,
            },
            VariableFacts {
                name: "region",
                description: "the region part of the host, such as `crm`, `crm2` or `crm4`",
                pattern: "^crm[0-9]{0,2}$",
                default: None,
            },
        ],
        domains: &["{org}.api.{region}.dynamics.com"],
        headers: &[("OData-MaxVersion", "4.0"), ("OData-Version", "4.0")],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/authorize"),
            token_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &[
                "https://{org}.{region}.dynamics.com/user_impersonation",
                "offline_access",
            ],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/WhoAmI"),
        rate_limit_headers: &[
            "x-ms-ratelimit-burst-remaining-xrm-requests",
            "x-ms-ratelimit-time-remaining-xrm-requests",
            "Retry-After",
        ],
        docs: "https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://learn.microsoft.com/power-apps/developer/data-platform/webapi/quick-start-console-app-csharp",
            "https://learn.microsoft.com/en-us/samples/microsoft/powerapps-samples/a-quickstart-to-the-dataverse-web-api/",
            "MicrosoftDocs/entra-docs:docs/identity-platform/v2-oauth2-auth-code-flow.md",
        ],
        note: Some(
            "Request `offline_access`, or no refresh token is issued. The scope must name the environment, as in this entry: Dataverse rejects a token that was issued for Microsoft Graph. Microsoft's samples use the host ORG.api.REGION.dynamics.com. National clouds have other hosts for API and login. Not confirmed by the vendor: the exact spelling of the scope.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "ebay",
        title: "eBay",
        category: "ecommerce",
        base_url: "https://api.ebay.com",
        domains: &["apiz.ebay.com", "api.sandbox.ebay.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.ebay.com/oauth2/authorize"),
            token_url: Some("https://api.ebay.com/identity/v1/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Static,
            scopes: &["https://api.ebay.com/oauth/api_scope"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developer.ebay.com/develop/apis",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "eBay/ebay-oauth-nodejs-client:src/constants.js",
            "eBay/ebay-oauth-nodejs-client:README.md",
            "api-evangelist/ebay:authentication/ebay-authentication.yml",
        ],
        note: Some(
            "Send eBay's RuName as `redirect_uri`, not the URL of your callback. Each API needs its own scope, so no verify path works for every token. A refresh may name scopes, but only scopes that the user granted. Some APIs are on apiz.ebay.com. The sandbox is at auth.sandbox.ebay.com and api.sandbox.ebay.com. Not confirmed by the vendor: GET `/sell/account/v1/privilege` with the scope `sell.account.readonly` is a cheap check.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "egnyte",
        title: "Egnyte",
        category: "storage",
        base_url: "https://{subdomain}.egnyte.com/pubapi",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.egnyte.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{subdomain}.egnyte.com/puboauth/token"),
            token_url: Some("https://{subdomain}.egnyte.com/puboauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["Egnyte.filesystem"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/userinfo"),
        rate_limit_headers: &[
            "X-Accesstoken-QPS-Allotted",
            "X-Accesstoken-QPS-Current",
            "X-Accesstoken-Quota-Allotted",
            "X-Accesstoken-Quota-Current",
            "Retry-After",
        ],
        docs: "https://developers.egnyte.com/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "https://stat.ethz.ch/CRAN/web/packages/egnyte/vignettes/authorization.html",
            "egnyte/integrations-cookbook:book/api-examples.md",
            "egnyte/python-egnyte:egnyte/client.py",
            "egnyte/integrations-cookbook:book/throttling.md",
        ],
        note: Some(
            "The token URL has a rate limit of its own: above it, Egnyte answers 409 with `Retry-After`. Authorization (GET) and token calls (POST) use the same URL, and the client ID and the client secret are in the body.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "elevenlabs",
        title: "ElevenLabs",
        category: "llm",
        base_url: "https://api.elevenlabs.io/v1",
        domains: &[
            "api.us.elevenlabs.io",
            "api.eu.residency.elevenlabs.io",
            "api.in.residency.elevenlabs.io",
        ],
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "xi-api-key",
            value: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/models"),
        docs: "https://elevenlabs.io/docs/api-reference/introduction",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "elevenlabs/elevenlabs-docs:fern/api-reference/pages/authentication.mdx",
            "elevenlabs/elevenlabs-docs:fern/apis/api/openapi.json",
            "elevenlabs/elevenlabs-docs:fern/apis/api/openapi-overrides.yml",
        ],
        note: Some(
            "A key can be limited to some endpoints, so no verify path works for every key; ElevenLabs' own example for authentication calls `/models`. A key with data residency works only on the host of its region.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "etsy",
        title: "Etsy",
        category: "ecommerce",
        base_url: "https://api.etsy.com/v3",
        domains: &["openapi.etsy.com"],
        auth: &[AlternativeFacts {
            also_headers: &[("x-api-key", "{client_id}:{client_secret}")],
            ..AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            })
        }],
        needs: "secrets of the connection are missing: its owner must set `access_token`, `client_id` and `client_secret`",
        fields: &[
            FieldFacts {
                name: "client_id",
                title: "Keystring of the app",
                is_secret: false,
            },
            FieldFacts {
                name: "client_secret",
                title: "Shared secret of the app",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.etsy.com/oauth/connect"),
            token_url: Some("https://api.etsy.com/v3/public/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["shops_r"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developers.etsy.com/documentation/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.etsy.com/documentation/essentials/authentication/",
            "etsy/open-api:README.md",
        ],
        note: Some(
            "OAuth apps must use PKCE. Access tokens start with the numeric user ID and a dot: keep this prefix. Each call also needs the header `x-api-key`, which this entry sends as `KEYSTRING:SECRET`. GET `/application/openapi-ping` checks only the key of the app. Not confirmed by the vendor: `x-api-key` needs the secret, and not the keystring alone; GET `/application/users/me` checks the token.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "exact-online",
        title: "Exact Online",
        category: "accounting",
        base_url: "https://start.exactonline.{region}/api",
        variables: &[VariableFacts {
            name: "region",
            description: "the ending of the country's site `start.exactonline.REGION`, such as `nl`, `de`, `co.uk` or `com`",
            pattern: r"^(nl|be|de|fr|es|co\.uk|com)$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://start.exactonline.{region}/api/oauth2/auth"),
            token_url: Some("https://start.exactonline.{region}/api/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/current/Me?$select=CurrentDivision"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-RateLimit-Minutely-Limit",
            "X-RateLimit-Minutely-Remaining",
        ],
        docs: "https://support.exactonline.com/community/s/knowledge-base",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "NangoHQ/nango:docs/integrations/all/exact-online.mdx",
            "exactonline/exactonline-api-dotnet-client:src/ExactOnline.Client.OAuth/UserAuthorizations.cs",
            "exactonline/exactonline-api-dotnet-client:src/ExactOnline.Client.Sdk/Helpers/ApiConnector.cs",
        ],
        note: Some(
            "Send `Accept: application/json`, or the answers are XML. `/v1/current/Me` returns the division, which almost every path contains. Access tokens last 10 minutes. Not confirmed by the vendor: Exact refuses a refresh earlier than 30 seconds before the token expires, so refresh with a smaller margin.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "factorial",
        title: "Factorial",
        category: "hris",
        base_url: "https://api.factorialhr.com/api",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "x-api-key",
                value: "{api_key}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.factorialhr.com/oauth/authorize"),
            token_url: Some("https://api.factorialhr.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/2026-10-01/resources/api_public/credentials"),
        docs: "https://apidoc.factorialhr.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://pypi.org/project/factorial-api-client/ (vendor's own client)",
            "https://docs.serval.com/sections/integrations/factorial",
            "NangoHQ/nango:docs/integrations/all/factorial.mdx",
            "factorialco/factorial-api-sdks:python/README.md",
            "factorialco/factorial-api-sdks:ruby/docs/ApiPublicCredentialApi.md",
            "factorialco/factorial-api-sdks:skills/factorial-api-sdks/reference/api-guides/request-an-authorization-code.md",
            "factorialco/factorial-api-sdks:skills/factorial-api-sdks/reference/api-guides/request-an-access-token.md",
            "factorialco/factorial-api-sdks:skills/factorial-api-sdks/reference/api-guides/refreshing-an-access-token.md",
        ],
        note: Some(
            "API versions are dates, four a year (January, April, July, October), in the path after `/api`: move to a newer version in time, also for the verify path. A user's token lasts an hour and its refresh token a week, so a connection that is unused for longer needs a new consent. With `resource_owner_type=company` in the authorization URL, you get a token of the company, which does not expire. Scopes are set in the app. Not confirmed by the vendor: PKCE is not supported.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "figma",
        title: "Figma",
        category: "documents",
        base_url: "https://api.figma.com",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "X-Figma-Token",
                value: "{personal_access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `personal_access_token`",
        fields: &[FieldFacts {
            name: "personal_access_token",
            title: "Personal access token (figd_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.figma.com/oauth"),
            token_url: Some("https://api.figma.com/v1/oauth/token"),
            refresh_url: Some("https://api.figma.com/v1/oauth/refresh"),
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Static,
            scopes: &["current_user:read"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/me"),
        rate_limit_headers: &[
            "Retry-After",
            "X-Figma-Plan-Tier",
            "X-Figma-Rate-Limit-Type",
        ],
        docs: "https://developers.figma.com/docs/rest-api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["figma/rest-api-spec:openapi/openapi.yaml"],
        note: Some(
            "Request granular scopes such as `file_content:read` or `file_metadata:read`: `files:read` is deprecated. `/v1/me` answers 403, not 401, to a wrong token. Variables and activity logs need the Enterprise plan. Figma refreshes tokens at a separate URL, which this entry uses.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "freshbooks",
        title: "FreshBooks",
        category: "accounting",
        base_url: "https://api.freshbooks.com",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.freshbooks.com/oauth/authorize"),
            token_url: Some("https://api.freshbooks.com/auth/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/auth/api/v1/users/me"),
        docs: "https://www.freshbooks.com/api/start",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "freshbooks/freshbooks-nodejs-sdk:packages/api",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "After consent, read `account_id` and `business_id` from `/auth/api/v1/users/me`: almost every other path contains one of these IDs. An older FreshBooks example authorizes at my.freshbooks.com/service/auth/oauth/authorize; FreshBooks' client uses auth.freshbooks.com. Not confirmed by the vendor: `/users/me` needs the app's profile scope.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "freshdesk",
        title: "Freshdesk",
        category: "ticketing",
        base_url: "https://{subdomain}.freshdesk.com/api/v2",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.freshdesk.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{api_key}",
            password: "X",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: true,
            },
            FieldFacts {
                name: "subdomain",
                title: "Subdomain",
                is_secret: false,
            },
        ],
        verify: Some("/agents/me"),
        rate_limit_headers: &[
            "X-RateLimit-Total",
            "X-RateLimit-Remaining",
            "X-RateLimit-Used-CurrentRequest",
            "Retry-After",
        ],
        docs: "https://developers.freshdesk.com/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "https://developer.freshdesk.com/api/v1 (vendor, v1 only)",
            "https://unifyapps.com/docs/unify-integrations/freshdesk",
            "freshworks-developers/request-method-samples:product-samples/freshdesk/config/requests.json",
            "freshworks-developers/marketplace:skills/app-dev/references/architecture/freshdesk_support_agent.md",
        ],
        note: Some(
            "The API key is sent as the user name of HTTP Basic. The verify path `/agents/me` returns the agent that the key belongs to. Not confirmed by the vendor: a custom helpdesk domain also serves the API.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "freshsales",
        title: "Freshsales",
        category: "crm",
        base_url: "https://{bundle}.myfreshworks.com/crm/sales/api",
        variables: &[VariableFacts {
            name: "bundle",
            description: "the bundle alias in `BUNDLE.myfreshworks.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "Authorization",
            value: "Token token={api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/settings/leads/fields"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://developers.freshworks.com/crm/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "api-evangelist/freshsales:authentication/freshsales-authentication.yml",
            "https://developers.freshworks.com/crm/api",
            "freshworks/marketplace-sample-apps:Freshworks-Samples/Freshdesk/requester_info_retriver/app/app.js",
        ],
        note: Some(
            "An account without leads may answer 404 at the verify path: check it with GET `/settings/contacts/fields`. Older accounts are at NAME.freshsales.io/api instead of this base URL.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "freshservice",
        title: "Freshservice",
        category: "ticketing",
        base_url: "https://{subdomain}.freshservice.com/api/v2",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.freshservice.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{api_key}",
            password: "X",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/tickets?per_page=1"),
        rate_limit_headers: &[
            "X-RateLimit-Total",
            "X-RateLimit-Remaining",
            "X-RateLimit-Used-CurrentRequest",
            "Retry-After",
        ],
        docs: "https://api.freshservice.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "freshworks-developers/request-method-samples:product-samples/freshservice/config/requests.json",
            "freshworks/freshworks-api-sdk:codegen/freshservice/freshservice-v2.0.1.swagger.yml",
        ],
        note: Some(
            "Use an API key: login with a password no longer works. The key is sent as the user name of HTTP Basic, with any text as password. The key of a requester gets 403 on agents' calls.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "front",
        title: "Front",
        category: "ticketing",
        base_url: "https://api2.frontapp.com",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{api_token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_token`",
        fields: &[FieldFacts {
            name: "api_token",
            title: "API token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.frontapp.com/oauth/authorize"),
            token_url: Some("https://app.frontapp.com/oauth/token"),
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/me"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://dev.frontapp.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["frontapp/front-api-specs:core-api/core-api.json"],
        note: Some(
            "The verify path `/me` describes the token, so every token may call it. Not confirmed by the vendor: the OAuth URLs, the client's authentication at the token URL, that access tokens last an hour, that no scopes are needed, and that some companies use COMPANY.api.frontapp.com.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "github",
        title: "GitHub",
        category: "code",
        base_url: "https://api.github.com",
        domains: &["uploads.github.com"],
        headers: &[
            ("Accept", "application/vnd.github+json"),
            ("User-Agent", "tower-passthrough"),
            ("X-GitHub-Api-Version", "2022-11-28"),
        ],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Personal access token (fine-grained or classic)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://github.com/login/oauth/authorize"),
            token_url: Some("https://github.com/login/oauth/access_token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            dead_errors: &["bad_refresh_token"],
            scopes: &["read:user"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/rate_limit"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Used",
            "X-RateLimit-Reset",
            "X-RateLimit-Resource",
            "Retry-After",
        ],
        docs: "https://docs.github.com/rest",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "github/docs:content/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps.md",
            "https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication",
            "https://github.com/orgs/community/discussions/204963",
            "https://docs.github.com/en/rest/rate-limit/rate-limit",
        ],
        note: Some(
            "`/rate_limit` works for tokens of users, apps and installations, and does not count against the limit. A wrong token gets 401 there, but a call without a token gets 200. In 2026, OAuth apps can also have tokens of 8 hours with a refresh token, by the app's setting or the scope `offline_access`. A refresh invalidates both old tokens; GitHub Apps do the same, with refresh tokens of 6 months. Tokens that do not expire have no refresh token. The token URL answers with a form, unless the request has `Accept: application/json`. PKCE with S256 is recommended (since 2025-07-14).",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "gitlab",
        title: "GitLab",
        category: "code",
        base_url: "https://gitlab.com/api",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "PRIVATE-TOKEN",
                value: "{api_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_token`, or `token`",
        fields: &[FieldFacts {
            name: "api_token",
            title: "Access token (personal, group or project)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://gitlab.com/oauth/authorize"),
            token_url: Some("https://gitlab.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["read_user"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v4/user"),
        rate_limit_headers: &[
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "RateLimit-Observed",
            "Retry-After",
        ],
        docs: "https://docs.gitlab.com/api/rest/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.gitlab.com/api/oauth2/",
            "getsentry/sentry#29747 (third party, expiry)",
        ],
        note: Some(
            "This entry is for gitlab.com. Self-managed and Dedicated instances have the same paths on another host: add your own integration for them. PKCE is recommended, also for server apps. Access tokens last 2 hours. A token without `api`, `read_api` or `read_user` is refused at `/v4/user`. Not confirmed by the vendor: refresh tokens rotate; `/v4/personal_access_tokens/self` checks access tokens without these scopes.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "gmail",
        title: "Gmail",
        category: "messaging",
        base_url: "https://gmail.googleapis.com",
        domains: &["www.googleapis.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: Some("https://oauth2.googleapis.com/token"),
            authorize_params: &[("access_type", "offline"), ("prompt", "consent")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["https://www.googleapis.com/auth/gmail.readonly"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/gmail/v1/users/me/profile"),
        docs: "https://developers.google.com/workspace/gmail/api/reference/rest",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "googleapis/google-api-python-client:googleapiclient/discovery_cache/documents/gmail.v1.json",
        ],
        note: Some(
            "The verify path needs the scope `https://mail.google.com/`, `gmail.modify`, `gmail.compose`, `gmail.readonly` or `gmail.metadata`: a token with only `gmail.send` or `gmail.labels` gets 403 there. `gmail.readonly` and `gmail.metadata` are restricted scopes: a public app needs a security assessment every year. Uploads use `/upload` on the same host. PKCE is optional. Not confirmed by the vendor: refresh tokens of an app in the status Testing end after 7 days.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "gocardless",
        title: "GoCardless",
        category: "payments",
        base_url: "https://api.gocardless.com",
        domains: &["api-sandbox.gocardless.com"],
        headers: &[("GoCardless-Version", "2015-07-06")],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Access token (live_... or sandbox_...)",
            is_secret: true,
        }],
        verify: Some("/creditors?limit=1"),
        rate_limit_headers: &["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
        docs: "https://developer.gocardless.com/api-reference/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "gocardless/gocardless-pro-python:gocardless_pro/api_client.py",
            "gocardless/gocardless-pro-python:gocardless_pro/client.py",
            "gocardless/gocardless-pro-python:gocardless_pro/services/creditors_service.py",
        ],
        note: Some(
            "The header `GoCardless-Version` is required; this entry sends the current version, 2015-07-06. Bank account data is another API. Not confirmed by the vendor: partners have OAuth at connect.gocardless.com, with tokens that last long.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "gong",
        title: "Gong",
        category: "crm",
        base_url: "https://{host}",
        variables: &[VariableFacts {
            name: "host",
            description: "the API host: from `api_base_url_for_customer` of the token answer, or `api.gong.io` for an access key",
            pattern: r"^([a-z0-9-]+\.)?api\.gong\.io$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{access_key}",
                password: "{access_key_secret}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `access_key` and `access_key_secret`",
        fields: &[
            FieldFacts {
                name: "access_key",
                title: "Access key",
                is_secret: false,
            },
            FieldFacts {
                name: "access_key_secret",
                title: "Access key secret",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.gong.io/oauth2/authorize"),
            token_url: Some("https://app.gong.io/oauth2/generate-customer-token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["api:users:read"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v2/users"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://help.gong.io/docs/what-the-gong-api-provides",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/gong:authentication/gong-authentication.yml",
            "api-evangelist/gong:rate-limits/gong-rate-limits.yml",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "A technical administrator authorizes the app for the whole company. A customer's token works only on the host in `api_base_url_for_customer` of the token answer. An access key can have an expiry date and an IP allow list (403 from other addresses). Gong sends only `Retry-After`, and no header with the remaining budget. MCP tokens do not work here.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "google-calendar",
        title: "Google Calendar",
        category: "calendar",
        base_url: "https://www.googleapis.com/calendar/v3",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: Some("https://oauth2.googleapis.com/token"),
            authorize_params: &[("access_type", "offline"), ("prompt", "consent")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["https://www.googleapis.com/auth/calendar.readonly"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me/calendarList/primary"),
        docs: "https://developers.google.com/workspace/calendar/api/v3/reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://googleapis.dev/dotnet/Google.Apis.Calendar.v3/latest/api/Google.Apis.Calendar.v3.CalendarService.ScopeConstants.html",
            "https://developers.google.com/identity/openid-connect/reference",
            "NangoHQ/nango: post-connection hook (verify path)",
            "googleapis/google-api-python-client:googleapiclient/discovery_cache/documents/calendar.v3.json",
        ],
        note: Some(
            "A token with only `calendar.events` cannot read the list of calendars: check it with `/calendars/primary/events?maxResults=1`. Narrower scopes are `calendar.calendarlist.readonly` and `calendar.events.readonly`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "google-docs",
        title: "Google Docs",
        category: "documents",
        base_url: "https://docs.googleapis.com",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: Some("https://oauth2.googleapis.com/token"),
            authorize_params: &[("access_type", "offline"), ("prompt", "consent")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["https://www.googleapis.com/auth/documents.readonly"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developers.google.com/workspace/docs/api/reference/rest",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "googleapis/google-api-python-client:googleapiclient/discovery_cache/documents/docs.v1.json",
        ],
        note: Some(
            "Every GET of this API needs the ID of a document, so there is no verify path. The note of google-sheets describes other checks.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "google-drive",
        title: "Google Drive",
        category: "storage",
        base_url: "https://www.googleapis.com",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: Some("https://oauth2.googleapis.com/token"),
            authorize_params: &[("access_type", "offline"), ("prompt", "consent")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["https://www.googleapis.com/auth/drive.file"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/drive/v3/about?fields=user"),
        docs: "https://developers.google.com/drive/api/reference/rest/v3",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.google.com/drive/api/reference/rest/v3/about/get",
            "https://developers.google.com/identity/openid-connect/reference",
            "iamgbsmith/til:security/get-openid-connect-provider-configuration.md (copy of Google's discovery document)",
        ],
        note: Some(
            "The verify path needs the parameter `fields`: without it, the answer is 400. `drive.file` is the narrow scope. Google requires a security assessment for some of the other scopes; not confirmed by the vendor for `drive`, `drive.readonly` and `drive.metadata`. A refresh usually returns no new refresh token. Uploads use `/upload/drive/v3` on the same host.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "google-gemini",
        title: "Google Gemini",
        category: "llm",
        base_url: "https://generativelanguage.googleapis.com",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "x-goog-api-key",
                value: "{api_key}",
            }),
            AlternativeFacts::new(SchemeFacts::Query {
                name: "key",
                value: "{api_key}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/v1beta/models?pageSize=1"),
        docs: "https://ai.google.dev/api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://ai.google.dev/gemini-api/docs/api-key.md.txt",
            "https://ai.google.dev/tutorials/setup",
            "googleapis/python-genai:google/genai/_api_client.py",
        ],
        note: Some(
            "New keys from AI Studio are auth keys, which are bound to a service account; unrestricted standard keys are rejected since 2026-06-19. Both kinds are sent in `x-goog-api-key`. Do not send the key in the query, because URLs are logged. Vertex AI (LOCATION-aiplatform.googleapis.com) is another API, with OAuth. Not confirmed by the vendor: a wrong key gets 400 with the reason `API_KEY_INVALID`, not 401, so count that answer as a wrong key.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "google-sheets",
        title: "Google Sheets",
        category: "documents",
        base_url: "https://sheets.googleapis.com",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: Some("https://oauth2.googleapis.com/token"),
            authorize_params: &[("access_type", "offline"), ("prompt", "consent")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["https://www.googleapis.com/auth/spreadsheets.readonly"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developers.google.com/workspace/sheets/api/reference/rest",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "googleapis/google-api-python-client:googleapiclient/discovery_cache/documents/sheets.v4.json (not read)",
            "googleapis/google-api-python-client:googleapiclient/discovery_cache/documents/sheets.v4.json",
        ],
        note: Some(
            "Every GET of this API needs the ID of a spreadsheet, so there is no verify path. A token refresh is a check. If `openid` is among the scopes, GET https://openidconnect.googleapis.com/v1/userinfo also checks the token. `drive.file` is the narrow scope: only files that the app created or the user picked.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "gorgias",
        title: "Gorgias",
        category: "ticketing",
        base_url: "https://{subdomain}.gorgias.com",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.gorgias.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{email}",
                password: "{api_key}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `email` and `api_key`",
        fields: &[
            FieldFacts {
                name: "email",
                title: "Email address of the user",
                is_secret: false,
            },
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: true,
            },
            FieldFacts {
                name: "subdomain",
                title: "Subdomain",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{subdomain}.gorgias.com/oauth/authorize"),
            token_url: Some("https://{subdomain}.gorgias.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Static,
            scopes: &["offline", "account:read"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/api/account"),
        rate_limit_headers: &["X-Gorgias-Account-Api-Call-Limit", "Retry-After"],
        docs: "https://developers.gorgias.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.gorgias.com/docs/oauth2-authentication-for-creating-apps-with-gorgias.md",
            "https://developers.gorgias.com/docs/oauth2-scopes.md",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Request the scope `offline` (not `offline_access`), or no refresh token is issued. Access tokens last 24 hours, and refresh tokens do not expire. `write:all` is the old scope for everything.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "greenhouse",
        title: "Greenhouse (Harvest v3)",
        category: "ats",
        base_url: "https://harvest.greenhouse.io",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.greenhouse.io/authorize"),
            token_url: Some("https://auth.greenhouse.io/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            scopes: &["harvest:users:list"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v3/users?per_page=1"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://harvestdocs.greenhouse.io/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://docs.unified.to/skills/greenhouse-oauth-app/SKILL.md",
            "https://nango.dev/docs/api-integrations/greenhouse-harvest-partner.md",
            "https://prismatic.io/docs/changelog/connectors/2026/06/12/greenhouse/",
            "StackOneHQ/hub-docs#399",
            "grnhse/greenhouse-api-docs:source/includes/harvest/_introduction.md",
        ],
        note: Some(
            "Harvest v1 and v2 with API keys ended on 2026-08-31, so OAuth with v3 is the only way. A partner uses the authorization code flow, with a client that Greenhouse issues after a signed partnership. A customer uses client credentials of its own, with the optional body parameter `sub` (a user ID). Scopes have the form `harvest:RESOURCE:ACTION` and are fixed when the client is issued. The verify path needs `harvest:users:list`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "groq",
        title: "Groq",
        category: "llm",
        base_url: "https://api.groq.com/openai/v1",
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (gsk_...)",
            is_secret: true,
        }],
        verify: Some("/models"),
        rate_limit_headers: &[
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
            "retry-after",
        ],
        docs: "https://console.groq.com/docs/api-reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "groq/groq-python:src/groq/_client.py",
            "groq/groq-python:src/groq/resources/models.py",
        ],
        ..Facts::EMPTY
    },
    Facts {
        name: "gusto",
        title: "Gusto",
        category: "hris",
        base_url: "https://api.gusto.com",
        domains: &["api.gusto-demo.com"],
        headers: &[("X-Gusto-API-Version", "2025-06-15")],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.gusto.com/oauth/authorize"),
            token_url: Some("https://api.gusto.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/token_info"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://docs.gusto.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "Gusto/gusto-python-client:gusto_app_int/README.md",
            "Gusto/gusto-python-client:gusto_app_int/docs/sdks/introspection/README.md",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Gusto versions its API by `X-Gusto-API-Version` (2025-06-15 and 2026-06-15 exist): this entry sends 2025-06-15 with each call. Gusto gives the scopes to the app; the authorization URL requests none. The sandbox, api.gusto-demo.com, has its own `/oauth/authorize` and `/oauth/token`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "help-scout",
        title: "Help Scout",
        category: "ticketing",
        base_url: "https://api.helpscout.net/v2",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some(
                "https://secure.helpscout.net/authentication/authorizeClientApplication",
            ),
            token_url: Some("https://api.helpscout.net/v2/oauth2/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &[
            "X-RateLimit-Limit-Minute",
            "X-RateLimit-Remaining-Minute",
            "X-RateLimit-Retry-After",
        ],
        docs: "https://developer.helpscout.com/mailbox-api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.helpscout.com/mailbox-api/overview/authentication",
            "helpscout/helpscout-api-php:src/Http/Authenticator.php",
            "helpscout/helpscout-api-php:src/Users/UsersEndpoint.php",
        ],
        note: Some(
            "To access accounts of others, use the authorization code flow. For your own account, use client credentials, which return no refresh token. If the user of the credential is inactive, the answer is 401. The Docs API is on another host, with HTTP Basic. Not confirmed by the vendor: access tokens last 2 days. It is unknown if a refresh replaces the refresh token, so store each refresh token that you receive.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "hibob",
        title: "HiBob",
        category: "hris",
        base_url: "https://api.hibob.com",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{service_user_id}",
                password: "{token}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `service_user_id` and `token`, or `access_token`",
        fields: &[
            FieldFacts {
                name: "service_user_id",
                title: "Service user ID",
                is_secret: false,
            },
            FieldFacts {
                name: "token",
                title: "Service user token",
                is_secret: true,
            },
        ],
        verify: Some("/v1/company/named-lists"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://apidocs.hibob.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://apidocs.hibob.com/reference/authorization.md",
            "https://apidocs.hibob.com/reference/rate-limiting.md",
            "NangoHQ/nango:packages/providers/providers.yaml (verify)",
            "https://apidocs.hibob.com/reference/get_company-named-lists-listname",
        ],
        note: Some(
            "Do not check a wrong credential repeatedly: after several answers of 401 or 403, a firewall blocks the caller. Approved Marketplace partners use OAuth 2.0 (apidocs.hibob.com/reference/oauth-20). Not confirmed by the vendor: a service user without permission gets 200, and fields are missing in the answer.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "hubspot",
        title: "HubSpot",
        category: "crm",
        base_url: "https://api.hubapi.com",
        domains: &["api-eu1.hubapi.com", "api-na1.hubapi.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Access token (of a private app or a service key)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.hubspot.com/oauth/authorize"),
            token_url: Some("https://api.hubapi.com/oauth/2026-03/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            dead_errors: &["BAD_REFRESH_TOKEN"],
            scopes: &["oauth"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/account-info/v3/details"),
        rate_limit_headers: &[
            "X-HubSpot-RateLimit-Daily",
            "X-HubSpot-RateLimit-Daily-Remaining",
            "X-HubSpot-RateLimit-Interval-Milliseconds",
            "X-HubSpot-RateLimit-Max",
            "X-HubSpot-RateLimit-Remaining",
        ],
        docs: "https://developers.hubspot.com/docs/api/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.hubspot.com/docs/api-reference/2026-03/authentication/manage-oauth-tokens",
            "https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens/refresh-oauth-token",
            "HubSpot/HubSpot-public-api-spec-collection:PublicApiSpecs/Account/Account Info/Rollouts/144923/2026-03/accountInfo.json",
            "https://developers.hubspot.com/changelog/v1-oauth-api-deprecation",
            "https://developers.hubspot.com/changelog/rate-limit-headers-will-now-appear-for-oauth-authenticated-calls",
        ],
        note: Some(
            "Every app has the scope `oauth`, which is enough for the verify path; `/account-info/2026-03/details` is the dated path of the same call. Access tokens last 30 minutes. Version 1 of the OAuth API is deprecated from 2027-02-16; `/oauth/2026-09/token` exists already. PKCE is supported. Calls with OAuth have no daily limit, so their answers have no headers for it. Not confirmed by the vendor: the regional hosts api-eu1 and api-na1 (the specification lists only api.hubapi.com).",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "intercom",
        title: "Intercom",
        category: "ticketing",
        base_url: "https://api.intercom.io",
        domains: &["api.eu.intercom.io", "api.au.intercom.io"],
        headers: &[("Accept", "application/json"), ("Intercom-Version", "2.15")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.intercom.com/oauth"),
            token_url: Some("https://api.intercom.io/auth/eagle/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/me"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://developers.intercom.com/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["intercom/Intercom-OpenAPI:descriptions/2.15/api.intercom.io.yaml"],
        note: Some(
            "The version in `Intercom-Version` decides the form of the answers; without this header, the app's setting decides. This entry sends 2.15; 2.16 also exists. Scopes are set in the app. A call to the wrong region fails. Not confirmed by the vendor: EU and AU workspaces use api.eu.intercom.io or api.au.intercom.io for API and tokens, and app.eu.intercom.com or app.au.intercom.com for authorization.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "iterable",
        title: "Iterable",
        category: "marketing",
        base_url: "https://api.iterable.com/api",
        domains: &["api.eu.iterable.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "Api-Key",
            value: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key (server-side)",
            is_secret: true,
        }],
        verify: Some("/channels"),
        docs: "https://api.iterable.com/api/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://raw.githubusercontent.com/api-evangelist/iterable/refs/heads/main/conformance/iterable-conformance.yml (quotes the vendor's Swagger)",
            "https://docs.workato.com/ja/developing-connectors/sdk/guides/authentication/api-key.html",
            "Iterable/api-client:src/config.ts",
            "Iterable/api-client:src/client/base.ts",
            "Iterable/api-client:src/client/messaging.ts",
            "Iterable/api-client:tests/unit/client.test.ts",
        ],
        note: Some(
            "Use a server-side key. Keys with JWT are for apps on devices, and need a signed token for each user. Projects in the EU data center answer at api.eu.iterable.com. Iterable offers no OAuth.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "jazzhr",
        title: "JazzHR",
        category: "ats",
        base_url: "https://api.resumatorapi.com/v1",
        auth: &[AlternativeFacts::new(SchemeFacts::Query {
            name: "apikey",
            value: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/users"),
        docs: "https://www.resumatorapi.com/v1/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &["NangoHQ/nango:packages/providers/providers.yaml"],
        note: Some(
            "The key is sent in the query parameter `apikey`. Keep URLs of this API out of logs.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "jira",
        title: "Jira Cloud (OAuth)",
        category: "ticketing",
        base_url: "https://api.atlassian.com/ex/jira/{cloud_id}",
        variables: &[VariableFacts {
            name: "cloud_id",
            description: "the cloud ID of the site, a UUID from `https://api.atlassian.com/oauth/token/accessible-resources`",
            pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.atlassian.com/authorize"),
            token_url: Some("https://auth.atlassian.com/oauth/token"),
            authorize_params: &[("audience", "api.atlassian.com"), ("prompt", "consent")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["read:jira-user", "read:jira-work", "offline_access"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/rest/api/3/myself"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-RateLimit-NearLimit",
            "Retry-After",
        ],
        docs: "https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/",
            "https://developer.atlassian.com/cloud/jira/software/oauth-2-3lo-apps/",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "GET https://api.atlassian.com/oauth/token/accessible-resources lists the user's sites with their cloud IDs. An OAuth token works only at api.atlassian.com; SITE.atlassian.net answers 401. Request `offline_access`, or no refresh token is issued; the verify path needs `read:jira-user`. The authorization URL must contain `audience=api.atlassian.com` and `prompt=consent`, which this entry sends. The government cloud has other hosts.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "jira-basic",
        title: "Jira Cloud (API token)",
        category: "ticketing",
        base_url: "https://{subdomain}.atlassian.net",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.atlassian.net`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{email}",
            password: "{api_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `email` and `api_token`",
        fields: &[
            FieldFacts {
                name: "email",
                title: "Email address of the Atlassian account",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token",
                is_secret: true,
            },
            FieldFacts {
                name: "subdomain",
                title: "Subdomain",
                is_secret: false,
            },
        ],
        verify: Some("/rest/api/3/myself"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.atlassian.com/cloud/jira/platform/deprecation-notice-basic-auth-and-cookie-based-auth",
            "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account",
            "https://developer.atlassian.com/cloud/jira/software/oauth-2-3lo-apps/",
            "sooperset/mcp-atlassian#968",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Use an API token without scopes here: a token with scopes gets 401 at the host of the site, and works only at https://api.atlassian.com/ex/jira/CLOUD_ID, also with HTTP Basic. Each API token expires after 1 day to 1 year (default: 1 year; old tokens ended by 2026-05-12). Atlassian's security requirements forbid that a distributed app collects API tokens of users: use the entry jira (OAuth) for such an app.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "jobvite",
        title: "Jobvite",
        category: "ats",
        base_url: "https://api.jobvite.com/api",
        auth: &[AlternativeFacts {
            also_headers: &[("x-jvi-sc", "{secret_key}")],
            ..AlternativeFacts::new(SchemeFacts::Header {
                name: "x-jvi-api",
                value: "{api_key}",
            })
        }],
        needs: "secrets of the connection are missing: its owner must set `api_key` and `secret_key`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: true,
            },
            FieldFacts {
                name: "secret_key",
                title: "Secret key",
                is_secret: true,
            },
        ],
        verify: Some("/v2/candidate?count=1"),
        docs: "https://help.jobvite.com/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "Jobvite/APIConnectorSamples:JobviteApiConnectorCSharp/JobviteApiConnectorCSharp/Program.cs",
        ],
        note: Some(
            "Jobvite's sample sends the key and the secret in the query (`?api=...&sc=...`), which may be logged. It is unknown if a wrong key gets 401, or 200 with an error in the body: read the body. The staging system has its own host. Not confirmed by the vendor: the two headers that this entry uses.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "klaviyo",
        title: "Klaviyo",
        category: "marketing",
        base_url: "https://a.klaviyo.com/api",
        headers: &[("revision", "2026-07-15")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Authorization",
                value: "Klaviyo-API-Key {api_key}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "Private API key (pk_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.klaviyo.com/oauth/authorize"),
            token_url: Some("https://a.klaviyo.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Static,
            scopes: &["accounts:read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/accounts"),
        rate_limit_headers: &[
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://developers.klaviyo.com/en/reference/api_overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "klaviyo/openapi:openapi/stable.json",
            "https://developers.klaviyo.com/en/docs/api_versioning_and_deprecation_policy",
            "https://developers.klaviyo.com/.well-known/skills/klaviyo-migrate-oauth/references/revision-changes.md",
            "api-evangelist/klaviyo:authentication/klaviyo-authentication.yml",
        ],
        note: Some(
            "The API key or OAuth app needs `accounts:read` for the verify path. A revision lives two years, so move to a newer `revision` each year: all revisions of 2024 are retired since October 2026 (a call gets 410 or a newer, incompatible revision), those of 2025 are deprecated, and 2026-10-15 is the newest. OAuth apps must use PKCE with S256. Access tokens last 1 hour. Not confirmed by the vendor: a refresh token ends after 90 days without use.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "kustomer",
        title: "Kustomer",
        category: "ticketing",
        base_url: "https://{org}.api.kustomerapp.com/v1",
        variables: &[VariableFacts {
            name: "org",
            description: "the organization in `ORG.api.kustomerapp.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        domains: &["api.kustomerapp.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `token`, or `access_token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/users/current"),
        rate_limit_headers: &[
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ],
        docs: "https://developer.kustomer.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["https://developer.kustomer.com/docs/get-started/authentication.md"],
        note: Some(
            "Keys carry roles such as `org.user.read`, and may expire. Kustomer also lists OAuth 2.0, but the OAuth URLs are unknown, so use an API key.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "lever",
        title: "Lever",
        category: "ats",
        base_url: "https://api.lever.co/v1",
        domains: &["api.sandbox.lever.co"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{api_key}",
                password: "",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.lever.co/authorize"),
            token_url: Some("https://auth.lever.co/oauth/token"),
            authorize_params: &[("audience", "https://api.lever.co/v1/")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            scopes: &["offline_access"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://hire.lever.co/developer/documentation",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://hire.lever.co/developer/documentation",
            "amp-labs/connectors:providers/lever.go",
            "https://developers.apideck.com/connectors/lever/docs/application_owner+oauth_credentials",
            "https://docs.unified.to/skills/lever-oauth-app/SKILL.md",
        ],
        note: Some(
            "Check an API key with an endpoint that is enabled for it, such as GET `/users?limit=1`: endpoints are enabled one by one. Lever issues OAuth clients to partners. Scopes have the form `RESOURCE:ACTION:admin`, such as `applications:read:admin`; request `offline_access` to get a refresh token. The user must consent again after 1 year, or after 90 days without use. The sandbox signs in at https://sandbox-lever.auth0.com (`/authorize`, `/oauth/token`) with the audience https://api.sandbox.lever.co/v1/; its tokens do not work in production.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "linear",
        title: "Linear",
        category: "ticketing",
        base_url: "https://api.linear.app",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Authorization",
                value: "{api_key}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "Personal API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://linear.app/oauth/authorize"),
            token_url: Some("https://api.linear.app/oauth/token"),
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["read"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        rate_limit_headers: &[
            "X-RateLimit-Requests-Limit",
            "X-RateLimit-Requests-Remaining",
            "X-RateLimit-Requests-Reset",
            "X-Complexity",
            "X-RateLimit-Complexity-Limit",
            "X-RateLimit-Complexity-Remaining",
        ],
        docs: "https://linear.app/developers",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://linear.app/developers/oauth-2-0-authentication.md",
            "linear/linear:packages/sdk/src/client.ts",
            "linear/linear:packages/sdk/src/error.ts",
        ],
        note: Some(
            "Linear has only GraphQL, so there is no verify path: check with POST `/graphql` and `{\"query\":\"{ viewer { id } }\"}`. A personal API key is sent without `Bearer`. Since 2026-04-01, all OAuth apps use refresh tokens. Linear also sends `X-RateLimit-Complexity-Reset`. Not confirmed by the vendor: above the rate limit, the answer is 400 with the code `RATELIMITED`, not 429; PKCE works, as some clients use it.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "linkedin",
        title: "LinkedIn",
        category: "marketing",
        base_url: "https://api.linkedin.com",
        headers: &[("X-Restli-Protocol-Version", "2.0.0")],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.linkedin.com/oauth/v2/authorization"),
            token_url: Some("https://www.linkedin.com/oauth/v2/accessToken"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["openid", "profile", "email"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v2/userinfo"),
        docs: "https://learn.microsoft.com/linkedin/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow",
            "https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens",
        ],
        note: Some(
            "Only approved marketing partners receive refresh tokens: other apps receive an access token for 60 days, and the user must then consent again. A refresh does not extend the refresh token, which ends 365 days after consent. The verify path needs the scope `openid`. For paths below `/rest`, send the header `LinkedIn-Version: YYYYMM` yourself (a version lives about a year); paths below `/v2` do not need it.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "mailchimp",
        title: "Mailchimp Marketing",
        category: "marketing",
        base_url: "https://{dc}.api.mailchimp.com/3.0",
        variables: &[VariableFacts {
            name: "dc",
            description: "the data center in `DC.api.mailchimp.com`, such as `us6`: the ending of the API key, or `dc` of the OAuth metadata",
            pattern: "^us[0-9]{1,3}$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "any",
                password: "{api_key}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_key`, or `token`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key (ends in -usNN)",
                is_secret: true,
            },
            FieldFacts {
                name: "dc",
                title: "Data center (the ending of the API key)",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.mailchimp.com/oauth2/authorize"),
            token_url: Some("https://login.mailchimp.com/oauth2/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/ping"),
        docs: "https://mailchimp.com/developer/marketing/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.unified.to/skills/mailchimp-oauth-app/SKILL.md",
            "requests/requests-oauthlib#169",
            "NangoHQ/nango:docs/integrations/all/mailchimp.mdx",
            "mailchimp/mailchimp-marketing-python:README.md",
            "mailchimp/mailchimp-marketing-python:build/lib/mailchimp_marketing/api_client.py",
            "mailchimp/fern-marketing-api-docs:fern/.well-known/agent-skills/set-up-oauth/SKILL.md",
        ],
        note: Some(
            "Tokens have no scopes, no refresh token and no expiry: a 401 means that the user removed the access. `expires_in = 0` in the token answer means never. The data center is the ending of an API key (such as `us6`); for OAuth, GET https://login.mailchimp.com/oauth2/metadata returns it. Mailchimp's newest guide for OAuth says that https://api.mailchimp.com/3.0 serves every account, without a data center.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "mailgun",
        title: "Mailgun",
        category: "messaging",
        base_url: "https://api.mailgun.net",
        domains: &["api.eu.mailgun.net"],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "api",
            password: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/v4/domains?limit=1"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://documentation.mailgun.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "mailgun/mailgun.js:README.md",
            "mailgun/mailgun.js:lib/Classes/Domains/domainsClient.ts",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Use a key of the account: the sending key of a domain cannot list domains, so it fails at the verify path. The account belongs to one region: a US key gets 401 at api.eu.mailgun.net. Stored messages are on hosts that Mailgun names in its answers (storage-*.api.mailgun.net).",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "marketo",
        title: "Adobe Marketo Engage",
        category: "marketing",
        base_url: "https://{munchkin}.mktorest.com",
        variables: &[VariableFacts {
            name: "munchkin",
            description: "the Munchkin account ID in `MUNCHKIN.mktorest.com`, such as `123-ABC-456`",
            pattern: "^[0-9]{3}-[A-Za-z]{3}-[0-9]{3}$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        fields: &[
            FieldFacts {
                name: "client_id",
                title: "Client ID",
                is_secret: false,
            },
            FieldFacts {
                name: "client_secret",
                title: "Client secret",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            token_url: Some("https://{munchkin}.mktorest.com/identity/oauth/token"),
            client_auth: TokenEndpointAuth::Body,
            is_client_credentials: true,
            rotation: Rotation::None,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/rest/v1/stats/usage.json"),
        verify_ok: Some("success"),
        docs: "https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication",
            "AdobeDocs/marketo-apis:static/swagger-mapi.json",
            "AdobeDocs/marketo-apis:static/swagger-identity.json",
        ],
        note: Some(
            "The verify path needs no permission. Tokens last 1 hour, and a new token call returns the same token with its remaining time; token calls do not count against the limit. Since 2026-03-31, the token works only in the header, and not as a parameter. Not confirmed by the vendor: most errors come with HTTP 200, `success: false` and the code 601 (invalid token) or 602 (expired token), so read the body.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "meta-graph",
        title: "Meta Graph (Facebook, Instagram, WhatsApp Business)",
        category: "messaging",
        base_url: "https://graph.facebook.com",
        domains: &["graph.instagram.com", "graph-video.facebook.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Access token (of a system user or a page)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.facebook.com/v25.0/dialog/oauth"),
            token_url: Some("https://graph.facebook.com/v25.0/oauth/access_token"),
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["public_profile"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v25.0/me"),
        rate_limit_headers: &[
            "X-App-Usage",
            "X-Business-Use-Case-Usage",
            "X-Ad-Account-Usage",
        ],
        docs: "https://developers.facebook.com/docs/graph-api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.facebook.com/docs/graph-api/changelog",
            "https://developers.facebook.com/documentation/development/graph-api/changelog",
            "facebook/facebook-python-business-sdk:facebook_business/apiconfig.py",
            "https://developers.facebook.com/documentation/facebook-login/guides/advanced/oidc-token",
        ],
        note: Some(
            "Read the body: an invalid token usually gets 400 with the error code 190, not 401. There is no refresh token; `grant_type=fb_exchange_token` exchanges a token for a token of about 60 days. v25.0 (2026-02-18) lasts until 2028-07-29, and v26.0 was released on 2026-07-29. Calls to an ended version go to the oldest version that still exists. PKCE exists only in the OpenID Connect flow, which Meta calls a test, so this entry does not use it. Instagram login has its own hosts.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "microsoft-graph",
        title: "Microsoft Graph (Teams, Outlook, OneDrive, SharePoint)",
        category: "messaging",
        base_url: "https://graph.microsoft.com",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/authorize"),
            token_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["offline_access", "User.Read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1.0/me"),
        rate_limit_headers: &[
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "Retry-After",
        ],
        docs: "https://learn.microsoft.com/graph/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "MicrosoftDocs/entra-docs:docs/identity-platform/v2-oauth2-auth-code-flow.md",
            "https://learn.microsoft.com/graph/api/resources/users",
            "https://learn.microsoft.com/graph/api/usersettings-get",
        ],
        note: Some(
            "Request `offline_access`, or no refresh token is issued. A guest or an app for one tenant cannot use the tenant `common`: add your own integration with the tenant in the OAuth URLs. The verify path `/me` works only for a user's token; for a token of an app, use `/v1.0/organization` (needs a permission). `/v1.0/$metadata` is public. Do not send an `Origin` header in the token call of a web client. PKCE with S256 is recommended. National clouds (US Government, China) have other hosts for login and API. Graph sends `Retry-After`. Not confirmed by the vendor: the `RateLimit-*` headers; the old refresh token stays valid for a time after a refresh (always store the newest).",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "mistral",
        title: "Mistral",
        category: "llm",
        base_url: "https://api.mistral.ai/v1",
        domains: &["api.eu.mistral.ai", "api.us.mistral.ai"],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/models"),
        docs: "https://docs.mistral.ai/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "mistralai/platform-docs-public:openapi.yaml",
            "mistralai/platform-docs-public:src/content/en/docs/inference/regional-inference/page.mdx",
        ],
        note: Some("The hosts api.eu.mistral.ai and api.us.mistral.ai are for regional inference."),
        ..Facts::EMPTY
    },
    Facts {
        name: "mixpanel",
        title: "Mixpanel (query)",
        category: "marketing",
        base_url: "https://mixpanel.com/api",
        domains: &[
            "eu.mixpanel.com",
            "in.mixpanel.com",
            "data.mixpanel.com",
            "data-eu.mixpanel.com",
            "api.mixpanel.com",
            "api-eu.mixpanel.com",
        ],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{service_account}",
                password: "{secret}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `service_account` and `secret`, or `token`",
        fields: &[
            FieldFacts {
                name: "service_account",
                title: "Service account username",
                is_secret: false,
            },
            FieldFacts {
                name: "secret",
                title: "Service account secret",
                is_secret: true,
            },
        ],
        verify: Some("/app/me"),
        docs: "https://developer.mixpanel.com/reference/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "mixpanel/docs:openapi/query.openapi.yaml",
            "mixpanel/docs:openapi/service-accounts.openapi.yaml",
            "mixpanel/docs:reference/service-accounts.mdx",
        ],
        note: Some(
            "With a service account, each query needs the parameter `project_id`. The limits are 60 queries an hour and 5 queries at a time. Projects in the EU or in India answer only at eu.mixpanel.com or in.mixpanel.com. Mixpanel's specifications also list a bearer token.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "mollie",
        title: "Mollie",
        category: "payments",
        base_url: "https://api.mollie.com/v2",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (live_..., test_...) or access token (access_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://my.mollie.com/oauth2/authorize"),
            token_url: Some("https://api.mollie.com/oauth2/tokens"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            scopes: &["organizations.read", "payments.read"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/methods"),
        docs: "https://docs.mollie.com/reference/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "mollie/openapi:specs.yaml",
            "mollie/mollie-api-python:mollie/api/client.py",
        ],
        note: Some(
            "The verify path `/methods` works for API keys, and for OAuth tokens with `payments.read`. For OAuth, `/permissions` is the best check, because it needs no scope. API keys cannot call `/permissions` or `/organizations/me`, and OAuth tokens cannot call `/profiles/me`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "monday",
        title: "monday.com",
        category: "ticketing",
        base_url: "https://api.monday.com/v2",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Authorization",
                value: "{api_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_token`",
        fields: &[FieldFacts {
            name: "api_token",
            title: "Personal API token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://auth.monday.com/oauth2/authorize"),
            token_url: Some("https://auth.monday.com/oauth_ms/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["me:read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        rate_limit_headers: &["Retry-After"],
        docs: "https://developer.monday.com/api-reference/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.monday.com/apps/docs/oauth-2-1",
            "https://developer.monday.com/apps/docs/oauth-2-0",
            "https://developer.monday.com/apps/docs/migrating-to-the-new-oauth-flow",
            "https://developer.monday.com/api-reference/docs/authentication.md",
            "mondaycom/monday-graphql-api:packages/api/lib/api-client.ts",
        ],
        note: Some(
            "monday.com has only GraphQL, so there is no verify path: check with POST and `{\"query\":\"{ me { id } }\"}`. An admin must first install the app in the account. New apps use OAuth 2.1 with PKCE, tokens that expire and refresh tokens. Older apps keep https://auth.monday.com/oauth2/token and tokens without expiry, but API versions from 2027-04 answer such tokens with 401 `OAUTH21_TOKEN_REQUIRED`: set `API-Version` to a date. Not confirmed by the vendor: a refresh replaces the refresh token (store a new one if you receive it); the query needs `me:read`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "netsuite",
        title: "NetSuite",
        category: "accounting",
        base_url: "https://{account}.suitetalk.api.netsuite.com",
        variables: &[
            VariableFacts {
                name: "account",
                description: "the account ID as in the host, in small letters with a hyphen, such as `1234567` or `1234567-sb1`",
                pattern: "^[a-z0-9]+(-[a-z0-9]+)?$",
                default: None,
            },
            VariableFacts {
                name: "realm",
                description: "the account ID as in the OAuth 1.0 signature, in capital letters with an underscore, such as `1234567` or `1234567_SB1`",
                pattern: "^[A-Z0-9]+(_[A-Z0-9]+)?$",
                default: None,
            },
        ],
        domains: &["{account}.restlets.api.netsuite.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth1 {
                signature_method: "HMAC-SHA256",
                realm: Some("{realm}"),
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `consumer_key`, `consumer_secret`, `token` and `token_secret`",
        fields: &[
            FieldFacts {
                name: "consumer_key",
                title: "Consumer key",
                is_secret: true,
            },
            FieldFacts {
                name: "consumer_secret",
                title: "Consumer secret",
                is_secret: true,
            },
            FieldFacts {
                name: "token",
                title: "Token ID",
                is_secret: true,
            },
            FieldFacts {
                name: "token_secret",
                title: "Token secret",
                is_secret: true,
            },
            FieldFacts {
                name: "account",
                title: "Account ID",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{account}.app.netsuite.com/app/login/oauth2/authorize.nl"),
            token_url: Some(
                "https://{account}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token",
            ),
            client_auth: TokenEndpointAuth::Basic,
            scopes: &["rest_webservices"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_4247329078.html",
            "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_157769826287.html",
            "https://www.apideck.com/blog/netsuite-tba-to-oauth-2-migration.md (quotes section_158921905537 of the vendor's help)",
            "NangoHQ/nango:packages/providers/providers.yaml (OAuth URLs)",
            "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1546938065.html",
            "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158332610742.html",
            "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_160855590788.html",
        ],
        note: Some(
            "Use OAuth 2.0 for a new integration: from release 2027.1, no new integration can use token-based authentication (OAuth 1.0), and its support is planned to end with 2028.2. OAuth 2.0 works for REST and for RESTlets (scope `restlets`), and not for SOAP. The client authenticates at the token URL with HTTP Basic, and PKCE is supported. Not confirmed by the vendor: the authorization URL.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "notion",
        title: "Notion",
        category: "knowledge",
        base_url: "https://api.notion.com/v1",
        headers: &[("Notion-Version", "2026-03-11")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Internal integration token (ntn_... or secret_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.notion.com/v1/oauth/authorize"),
            token_url: Some("https://api.notion.com/v1/oauth/token"),
            authorize_params: &[("owner", "user")],
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://developers.notion.com/reference/intro",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.notion.com/reference/versioning.md",
            "https://developers.notion.com/reference/authentication",
            "https://developers.notion.com/reference/create-a-token.md",
            "makenotion/notion-sdk-js:src/Client.ts",
            "makenotion/notion-sdk-js:src/api-endpoints/users.ts",
            "makenotion/notion-sdk-js:src/api-endpoints/oauth.ts",
        ],
        note: Some(
            "The settings of the integration decide what it may do; there are no scopes. The token call takes JSON with HTTP Basic, and its answer contains a refresh token. This entry sends the newest `Notion-Version`, 2026-03-11. Notion's SDK v5 sends 2025-09-03 and supports no older version. Version 2022-06-28 does not know data sources, of which a database may have several. The admin API (`/admin/v1`) has its own versions, such as 2026-06-01.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "okta",
        title: "Okta",
        category: "operations",
        base_url: "https://{org}/api/v1",
        variables: &[VariableFacts {
            name: "org",
            description: "the host of the organization, such as `acme.okta.com` or `acme.okta-emea.com`",
            pattern: r"^[a-z0-9-]+\.(okta\.com|oktapreview\.com|okta-emea\.com|okta-gov\.com|okta\.mil)$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Authorization",
                value: "SSWS {api_token}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_token`, or `access_token`",
        fields: &[FieldFacts {
            name: "api_token",
            title: "API token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{org}/oauth2/v1/authorize"),
            token_url: Some("https://{org}/oauth2/v1/token"),
            scopes: &["okta.users.read.self"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &[
            "X-Rate-Limit-Limit",
            "X-Rate-Limit-Remaining",
            "X-Rate-Limit-Reset",
        ],
        docs: "https://developer.okta.com/docs/reference/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "okta/okta-management-openapi-spec:dist/2026.03.0/management-oneOfInheritance-noExamples.yaml",
            "okta/okta-developer-docs:packages/@okta/vuepress-site/docs/guides/create-an-api-token/main/index.md",
            "okta/okta-developer-docs:packages/@okta/vuepress-site/docs/concepts/okta-organizations/index.md",
        ],
        note: Some(
            "An API token ends after 30 days without use, and may be limited to network zones. Only the authorization server of the organization issues management scopes (`okta.*`); a custom authorization server does not issue them.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "onedrive",
        title: "OneDrive",
        category: "storage",
        base_url: "https://graph.microsoft.com/v1.0/me/drive",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/authorize"),
            token_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["offline_access", "Files.Read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/root?$select=id"),
        docs: "https://learn.microsoft.com/onedrive/developer/rest-api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "MicrosoftDocs/entra-docs:docs/identity-platform/v2-oauth2-auth-code-flow.md",
            "https://learn.microsoft.com/graph/api/resources/users",
        ],
        note: Some(
            "This base URL reaches only the user's own drive: for shared drives and sites (`/drives/ID`, `/sites/...`), use the entry microsoft-graph. OAuth is the same as for microsoft-graph. File contents are at signed URLs on other hosts: call these URLs without the credential. Not confirmed by the vendor: the scope `Files.Read` is enough.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "openai",
        title: "OpenAI",
        category: "llm",
        base_url: "https://api.openai.com/v1",
        domains: &[
            "us.api.openai.com",
            "eu.api.openai.com",
            "au.api.openai.com",
            "in.api.openai.com",
            "jp.api.openai.com",
            "ae.api.openai.com",
        ],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/models"),
        rate_limit_headers: &[
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
        ],
        docs: "https://platform.openai.com/docs/api-reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "openai/openai-openapi:openapi.json",
            "openai/openai-python:src/openai/_client.py",
            "openai/openai-python:README.md",
        ],
        note: Some(
            "A restricted key of a project may not have the right to list models: a 403 at the verify path still means a valid key. Admin keys are another kind, only for `/organization/...`. The headers `OpenAI-Organization` and `OpenAI-Project` are optional. Client certificates work at mtls.api.openai.com. Not confirmed by the vendor: the regional hosts.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "openrouter",
        title: "OpenRouter",
        category: "llm",
        base_url: "https://openrouter.ai/api/v1",
        domains: &["eu.openrouter.ai", "us.openrouter.ai"],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (sk-or-...)",
            is_secret: true,
        }],
        verify: Some("/key"),
        docs: "https://openrouter.ai/docs/api-reference/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "OpenRouterTeam/docs:openapi/openapi.yaml",
            "OpenRouterTeam/docs:api_reference/authentication.mdx",
            "OpenRouterTeam/docs:guides/features/sovereign-ai.mdx",
            "OpenRouterTeam/docs:guides/overview/auth/oauth.mdx",
        ],
        note: Some(
            "The verify path `/key` answers 401 to a wrong key; `/models` is public, so it checks nothing. `/credits` needs a management key. A user can create a key by OpenRouter's PKCE flow (https://openrouter.ai/auth with `callback_url`, then POST `/auth/keys`), which is not OAuth 2.0. The headers `HTTP-Referer` and `X-OpenRouter-Title` are optional. Regional hosts are for enterprise customers.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "outreach",
        title: "Outreach",
        category: "crm",
        base_url: "https://api.outreach.io/api/v2",
        headers: &[("Content-Type", "application/vnd.api+json")],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.outreach.io/oauth/authorize"),
            token_url: Some("https://api.outreach.io/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["users.read"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users?page%5Bsize%5D=1"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://developers.outreach.io/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/outreach:authentication/outreach-authentication.yml",
            "api-evangelist/outreach:openapi/_original/outreach-openapi.json (the vendor's file)",
            "api-evangelist/outreach:rate-limits/outreach-rate-limits.yml",
            "getoutreach/omniauth-outreach:lib/omniauth/strategies/outreach.rb",
            "getoutreach/outreach-platform-sdk:documentation/authorization/oauth.md",
            "getoutreach/clientxtdocs:samples/hello-world/aspnetcore/Services/OutreachService.cs",
        ],
        note: Some(
            "Do not refresh in parallel: a user and app get one token in 60 seconds, else 429. Access tokens last 2 hours and refresh tokens 14 days; at most 100 refresh tokens are valid. Write scopes do not include reading. A 403 with `unauthorizedOauthScope` means that the token is valid but a scope is missing. PKCE is documented only for the MCP server.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "paddle",
        title: "Paddle Billing",
        category: "payments",
        base_url: "https://api.paddle.com",
        domains: &["sandbox-api.paddle.com"],
        headers: &[("Paddle-Version", "1")],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (pdl_live_... or pdl_sdbx_...)",
            is_secret: true,
        }],
        verify: Some("/event-types"),
        docs: "https://developer.paddle.com/api-reference/overview",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "PaddleHQ/paddle-python-sdk:paddle_billing/Environment.py",
            "PaddleHQ/paddle-python-sdk:paddle_billing/Client.py",
            "PaddleHQ/paddle-python-sdk:paddle_billing/Resources/EventTypes/EventTypesClient.py",
        ],
        note: Some(
            "Keys carry permissions and expire. Sandbox keys work only at sandbox-api.paddle.com. This entry sends `Paddle-Version: 1`, as Paddle's SDK does. Not confirmed by the vendor: every key may call `/event-types`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "pagerduty",
        title: "PagerDuty",
        category: "operations",
        base_url: "https://api.pagerduty.com",
        domains: &["api.eu.pagerduty.com"],
        headers: &[("Accept", "application/vnd.pagerduty+json;version=2")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "Authorization",
                value: "Token token={api_key}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `access_token`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "REST API key",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://identity.pagerduty.com/oauth/authorize"),
            token_url: Some("https://identity.pagerduty.com/oauth/token"),
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/abilities"),
        rate_limit_headers: &["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
        docs: "https://developer.pagerduty.com/api-reference/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "PagerDuty/api-schema:reference/REST/openapiv3.json",
            "https://docs.cloud.google.com/gemini/enterprise/docs/connectors/pagerduty/pagerduty-configuration",
            "PagerDuty/developer-docs:docs/app-integration-development/06-OAuth-Functionality.md",
        ],
        note: Some(
            "The verify path `/abilities` works for all keys and tokens; `/users/me` answers 400 to a key of the account. Scoped OAuth apps must use PKCE, and it is recommended for Classic User OAuth. The client ID and the client secret are in the body of the token call. The code is valid for 30 seconds. PagerDuty does not reject an unknown scope: the token then has only `openid`, so read `scope` in the answer. The Events API (events.pagerduty.com) takes a routing key in the body.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "paypal",
        title: "PayPal",
        category: "payments",
        base_url: "https://api-m.paypal.com",
        domains: &["api-m.sandbox.paypal.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        fields: &[
            FieldFacts {
                name: "client_id",
                title: "Client ID",
                is_secret: false,
            },
            FieldFacts {
                name: "client_secret",
                title: "Client secret",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            token_url: Some("https://api-m.paypal.com/v1/oauth2/token"),
            client_auth: TokenEndpointAuth::Basic,
            is_client_credentials: true,
            rotation: Rotation::None,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/notifications/webhooks"),
        docs: "https://developer.paypal.com/api/rest/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["paypal/paypal-rest-api-specifications:openapi/notifications_webhooks_v1.json"],
        note: Some(
            "Sandbox tokens come from api-m.sandbox.paypal.com. A token of one host fails on the other host, so the sandbox needs its own token URL. The features of the app decide the scopes; the token call requests none. The verify path needs the scope for webhooks, which REST apps normally have.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "perplexity",
        title: "Perplexity",
        category: "llm",
        base_url: "https://api.perplexity.ai",
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (pplx-...)",
            is_secret: true,
        }],
        verify: Some("/async/chat/completions"),
        docs: "https://docs.perplexity.ai/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "perplexityai/perplexity-py:src/perplexity/_client.py",
            "perplexityai/perplexity-py:src/perplexity/resources/async_/chat/completions.py",
        ],
        note: Some("The verify path lists the asynchronous jobs. The API has no list of models."),
        ..Facts::EMPTY
    },
    Facts {
        name: "personio",
        title: "Personio",
        category: "hris",
        base_url: "https://api.personio.de",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        fields: &[
            FieldFacts {
                name: "client_id",
                title: "Client ID",
                is_secret: false,
            },
            FieldFacts {
                name: "client_secret",
                title: "Client secret",
                is_secret: true,
            },
        ],
        oauth2: Some(OAuth2Facts {
            token_url: Some("https://api.personio.de/v2/auth/token"),
            client_auth: TokenEndpointAuth::Body,
            is_client_credentials: true,
            rotation: Rotation::None,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developer.personio.de/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "personio/api-docs:personio-auth-api.yaml",
            "https://developer.personio.de/reference/auth",
            "https://developer.personio.de/discuss/66eaa0208463360025fe0990",
            "NangoHQ/nango:packages/providers/providers.yaml (v2 token URL)",
        ],
        note: Some(
            "This entry logs in for v2, with client credentials in a form. GET `/v2/persons?limit=1` checks a client with the scope for persons; another token gets 403 `Insufficient access scope`, so no verify path works for every client. The older v1 has another login (POST `/v1/auth`, tokens of 24 hours, 60 logins per minute). Partners can send `X-Personio-Partner-ID` and `X-Personio-App-ID`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "pipedrive",
        title: "Pipedrive",
        category: "crm",
        base_url: "https://{company}.pipedrive.com/api",
        variables: &[VariableFacts {
            name: "company",
            description: "the company domain in `COMPANY.pipedrive.com`, such as `acme`, from `api_domain` of the token answer",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        domains: &["api.pipedrive.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "x-api-token",
                value: "{api_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Query {
                name: "api_token",
                value: "{api_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `api_token`, or `api_token`",
        fields: &[
            FieldFacts {
                name: "api_token",
                title: "Personal API token",
                is_secret: true,
            },
            FieldFacts {
                name: "company",
                title: "Subdomain",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://oauth.pipedrive.com/oauth/authorize"),
            token_url: Some("https://oauth.pipedrive.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["base"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/users/me"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-Daily-Requests-Left",
        ],
        docs: "https://developers.pipedrive.com/docs/api/v1",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://pipedrive.readme.io/docs/marketplace-oauth-authorization",
            "https://developers.pipedrive.com/docs/api/v1/Oauth",
            "https://pipedrive.readme.io/docs/marketplace-oauth-and-api-proxy-status-codes",
            "pipedrive/client-nodejs:docs/v1.md",
            "NangoHQ/nango:packages/providers/providers.yaml (pkce, third party)",
        ],
        note: Some(
            "A refresh token is invalid after its use: store the new one. The token answer contains the company's host in `api_domain`, such as https://acme.pipedrive.com. Scopes are fixed in the app's registration: the authorization call takes only `client_id`, `redirect_uri` and `state`, and `base` is always included. api.pipedrive.com/v1 and /api/v2 also accept the token in `x-api-token`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "postmark",
        title: "Postmark",
        category: "messaging",
        base_url: "https://api.postmarkapp.com",
        headers: &[("Accept", "application/json")],
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "X-Postmark-Server-Token",
            value: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "Server API token",
            is_secret: true,
        }],
        verify: Some("/server"),
        docs: "https://postmarkapp.com/developer",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "ActiveCampaign/postmark.js:src/client/models/client/HttpClient.ts",
            "ActiveCampaign/postmark.js:src/client/models/client/ClientOptions.ts",
            "ActiveCampaign/postmark.js:src/client/ServerClient.ts",
        ],
        note: Some(
            "This entry sends the token of a server. Paths of the account (servers, domains, sender signatures) need `X-Postmark-Account-Token`, which this entry does not send.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "quickbooks",
        title: "QuickBooks Online",
        category: "accounting",
        base_url: "https://quickbooks.api.intuit.com",
        variables: &[VariableFacts {
            name: "realm_id",
            description: "the numeric company ID, from `realmId` of the callback URL, such as `1234567890`",
            pattern: "^[0-9]+$",
            default: None,
        }],
        domains: &["sandbox-quickbooks.api.intuit.com"],
        headers: &[("Accept", "application/json")],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://appcenter.intuit.com/connect/oauth2"),
            token_url: Some("https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["com.intuit.quickbooks.accounting"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v3/company/{realm_id}/companyinfo/{realm_id}"),
        docs: "https://developer.intuit.com/app/developer/qbo/docs/develop",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "intuit/oauth-jsclient:src/OAuthClient.js",
            "intuit/QuickBooks-V3-Java-SDK: release v6.5.4",
        ],
        note: Some(
            "Read `realmId` from the query of the callback URL: the token answer does not contain it. A refresh token ends after 100 days without use, and after 5 years in any case. Send the header `x-include-refresh-token-hard-expires-in: true` in the token call to learn the date. Intuit's client does not use PKCE. The sandbox has the same OAuth URLs.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "recruitee",
        title: "Recruitee",
        category: "ats",
        base_url: "https://api.recruitee.com/c/{company_id}",
        variables: &[VariableFacts {
            name: "company_id",
            description: "the numeric company ID in `api.recruitee.com/c/COMPANY_ID`, such as `12345`",
            pattern: "^[0-9]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[
            FieldFacts {
                name: "token",
                title: "Personal API token",
                is_secret: true,
            },
            FieldFacts {
                name: "company_id",
                title: "Company ID",
                is_secret: false,
            },
        ],
        verify: Some("/departments"),
        docs: "https://docs.recruitee.com/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://docs.recruitee.com/reference/authentication-1.md",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "A personal API token has the rights of its user. The Careers Site API (COMPANY.recruitee.com/api) is another API; from 2027-02-10, it requires the header `X-Careers-Sites-Token`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "recurly",
        title: "Recurly",
        category: "payments",
        base_url: "https://v3.recurly.com",
        domains: &["v3.eu.recurly.com"],
        headers: &[("Accept", "application/vnd.recurly.v2021-02-25")],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{api_key}",
            password: "",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "Private API key",
            is_secret: true,
        }],
        verify: Some("/sites"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://recurly.com/developers/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["recurly/recurly-client-python:openapi/api.yaml"],
        note: Some(
            "Sites in the EU answer only at v3.eu.recurly.com. The header `Accept` must contain the API version, which this entry sends.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "replicate",
        title: "Replicate",
        category: "llm",
        base_url: "https://api.replicate.com/v1",
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API token (r8_...)",
            is_secret: true,
        }],
        verify: Some("/account"),
        docs: "https://replicate.com/docs/reference/http",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "replicate/replicate-python:replicate/client.py",
            "replicate/replicate-python:replicate/account.py",
        ],
        ..Facts::EMPTY
    },
    Facts {
        name: "resend",
        title: "Resend",
        category: "messaging",
        base_url: "https://api.resend.com",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `token`, or `access_token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (re_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.resend.com/oauth/authorize"),
            token_url: Some("https://api.resend.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["full_access"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/domains?limit=1"),
        rate_limit_headers: &[
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "retry-after",
        ],
        docs: "https://resend.com/docs/api-reference/introduction",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "resend/resend-openapi:resend.yaml",
            "https://www.resend.com/.well-known/oauth-authorization-server",
            "https://resend.com/docs/api-reference/oauth/token.md",
            "https://resend.com/docs/api-reference/oauth/authorize",
        ],
        note: Some(
            "A key that may only send emails cannot use the verify path: read the name of the error before you reject a key. OAuth apps must use PKCE with S256. Access tokens last 15 minutes, and refresh tokens 60 days; each refresh replaces the refresh token, and Resend detects reuse of an old one. Scopes are `emails:send` (only sending) and `full_access` (needed for the verify path). Not confirmed by the vendor: a key that may only send gets 401 `restricted_api_key`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "ringcentral",
        title: "RingCentral",
        category: "messaging",
        base_url: "https://platform.ringcentral.com",
        domains: &["media.ringcentral.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://platform.ringcentral.com/restapi/oauth/authorize"),
            token_url: Some("https://platform.ringcentral.com/restapi/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/restapi/v1.0/account/~/extension/~"),
        rate_limit_headers: &[
            "X-Rate-Limit-Group",
            "X-Rate-Limit-Limit",
            "X-Rate-Limit-Remaining",
            "X-Rate-Limit-Window",
            "Retry-After",
        ],
        docs: "https://developers.ringcentral.com/api-reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "ringcentral/ringcentral-api-docs:docs/authentication/oauth-request.md",
            "ringcentral/ringcentral-api-docs:docs/authentication/refresh-tokens.md",
            "ringcentral/ringcentral-api-docs:docs/authentication/auth-code-pkce-flow.md",
            "ringcentral/ringcentral-api-docs:docs/basics/rate-limits.md",
        ],
        note: Some(
            "Scopes are set in the app. A refresh ends the old access token at once. The old refresh token works until the new access token is first used (at most 60 minutes), and then for about ten seconds. A client-side app sends no `Authorization` header to the token URL. The `X-Rate-Limit` headers are sent only for limits of a user.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "rippling",
        title: "Rippling",
        category: "hris",
        base_url: "https://rest.ripplingapis.com",
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API token",
            is_secret: true,
        }],
        docs: "https://developer.rippling.com/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://nango.dev/docs/integrations/all/rippling/connect",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "A token is made for one API version and one set of permissions, so no verify path works for every token. The older platform API, api.rippling.com, has OAuth for partners. Not confirmed by the vendor: a call without a `User-Agent` may be refused.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "sage-accounting",
        title: "Sage Accounting",
        category: "accounting",
        base_url: "https://api.accounting.sage.com",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.sageone.com/oauth2/auth/central?filter=apiv3.1"),
            token_url: Some("https://oauth.accounting.sage.com/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["readonly"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developer.sage.com/accounting/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "NangoHQ/nango:docs/integrations/all/sage.mdx",
            "Sage/sageone_api_php_sample:lib/api_client.php",
            "Sage/sageone_api_ruby_sample:app/controllers/sage_accounting_controller.rb",
            "https://developer.sage.com/accounting/guides/authenticating/authentication",
        ],
        note: Some(
            "The scopes are `readonly` and `full_access`. Send the optional header `X-Business` to choose one of the user's businesses; without it, the answer is about the user's lead business. The authorization URL needs `filter=apiv3.1`, which this entry sends.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "sage-hr",
        title: "Sage HR",
        category: "hris",
        base_url: "https://{subdomain}.sage.hr/api",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.sage.hr`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "X-Auth-Token",
            value: "{api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/employees?page=1"),
        docs: "https://sagehr.docs.apiary.io/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/sage-hr:authentication/sage-hr-authentication.yml",
            "NangoHQ/nango:packages/providers/providers.yaml",
            "https://developer.sage.com/hr/get-started",
        ],
        ..Facts::EMPTY
    },
    Facts {
        name: "salesforce",
        title: "Salesforce",
        category: "crm",
        base_url: "https://{instance}.my.salesforce.com",
        variables: &[VariableFacts {
            name: "instance",
            description: "the My Domain name in `INSTANCE.my.salesforce.com`, such as `acme`, from `instance_url` of the token answer; for a sandbox `acme--test.sandbox`",
            pattern: r"^[a-z0-9-]+(\.(sandbox|develop|scratch|trailblaze|demo|free))?$",
            default: None,
        }],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.salesforce.com/services/oauth2/authorize"),
            token_url: Some("https://login.salesforce.com/services/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["api", "refresh_token"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/services/oauth2/userinfo"),
        rate_limit_headers: &["Sforce-Limit-Info"],
        docs: "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://help.salesforce.com/HTViewHelpDoc?id=remoteaccess_oauth_web_server_flow.htm",
            "https://help.salesforce.com/apex/HTViewHelpDoc?id=remoteaccess_oauth_refresh_token_flow.htm",
            "https://developer.salesforce.com/docs/platform/isvforce/guide/secure-code-ac-eca.md",
            "https://login.salesforce.com/.well-known/openid-configuration",
            "https://help.salesforce.com/HTViewHelpDoc?id=remoteaccess_using_userinfo_endpoint.htm",
            "forcedotcom/postman-salesforce-apis:working-with-environments.md",
        ],
        note: Some(
            "Store the refresh token of each answer: an app with rotation invalidates the old refresh token at each refresh. Since Spring '26, create an External Client App, because new connected apps are no longer possible. Partner apps must use PKCE, and cannot turn it off again. Sandboxes authorize at test.salesforce.com or at their My Domain host. The verify path answers 403 `Bad_OAuth_Token` to a wrong token; if it answers that a scope is missing, add the scope `id`. `/services/data` is public, so it checks nothing. Not every answer has the rate limit header.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "salesloft",
        title: "Salesloft",
        category: "crm",
        base_url: "https://api.salesloft.com/v2",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (ak_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://accounts.salesloft.com/oauth/authorize"),
            token_url: Some("https://accounts.salesloft.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/me"),
        rate_limit_headers: &["x-ratelimit-endpoint-cost", "x-ratelimit-remaining-minute"],
        docs: "https://developers.salesloft.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://raw.githubusercontent.com/api-evangelist/salesloft/refs/heads/main/conformance/salesloft-conformance.yml (cites developers.salesloft.com and the live discovery document)",
            "NangoHQ/nango:packages/providers/providers.yaml",
            "SalesLoft/omniauth-salesloft:lib/omniauth/strategies/salesloft.rb",
            "SalesLoft/api-guide:php-web-form/handler.php",
            "SalesLoft/api-example:cli/refresh_token.rb",
        ],
        note: Some(
            "Scopes are set in the app. Client credentials also work, with HTTP Basic and scopes separated by a space. The OAuth URLs are listed at https://accounts.salesloft.com/.well-known/openid-configuration. Not confirmed by the vendor: `/me` exists in v2 (Salesloft's client uses it in the older v1).",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "sendgrid",
        title: "SendGrid",
        category: "messaging",
        base_url: "https://api.sendgrid.com/v3",
        domains: &["api.eu.sendgrid.com"],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/scopes"),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
        ],
        docs: "https://www.twilio.com/docs/sendgrid/api-reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "twilio/sendgrid-oai:spec/json/tsg_scopes_v3.json",
            "twilio/sendgrid-oai:spec/json/tsg_user_v3.json",
        ],
        note: Some(
            "The verify path `/scopes` lists the scopes of the key, so every key may call it. Accounts in the EU use api.eu.sendgrid.com, where not every path exists.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "sentry",
        title: "Sentry",
        category: "code",
        base_url: "https://sentry.io/api/0",
        domains: &["us.sentry.io", "de.sentry.io"],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{auth_token}"))],
        needs: "secrets of the connection are missing: its owner must set `auth_token`",
        fields: &[FieldFacts {
            name: "auth_token",
            title: "Auth token",
            is_secret: true,
        }],
        verify: Some("/organizations/"),
        rate_limit_headers: &[
            "X-Sentry-Rate-Limit-Limit",
            "X-Sentry-Rate-Limit-Remaining",
            "X-Sentry-Rate-Limit-Reset",
            "X-Sentry-Rate-Limit-ConcurrentLimit",
            "X-Sentry-Rate-Limit-ConcurrentRemaining",
        ],
        docs: "https://docs.sentry.io/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "getsentry/sentry-docs:docs/api/auth.mdx",
            "getsentry/sentry-docs:docs/api/ratelimits.mdx",
        ],
        note: Some(
            "The verify path needs a token of a user: a valid token of an internal integration may be refused there. Check such a token with `/organizations/SLUG/projects/`. Legacy API keys are sent as the user name of HTTP Basic.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "servicenow",
        title: "ServiceNow",
        category: "ticketing",
        base_url: "https://{instance}.service-now.com",
        variables: &[VariableFacts {
            name: "instance",
            description: "the instance name in `INSTANCE.service-now.com`, such as `acme` or `dev12345`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        headers: &[("Accept", "application/json")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{username}",
                password: "{password}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `username` and `password`",
        fields: &[
            FieldFacts {
                name: "username",
                title: "Username",
                is_secret: false,
            },
            FieldFacts {
                name: "password",
                title: "Password",
                is_secret: true,
            },
            FieldFacts {
                name: "instance",
                title: "Instance name",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{instance}.service-now.com/oauth_auth.do"),
            token_url: Some("https://{instance}.service-now.com/oauth_token.do"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        rate_limit_headers: &[
            "X-RateLimit-Limit",
            "X-RateLimit-Reset",
            "X-RateLimit-Rule",
            "Retry-After",
        ],
        docs: "https://www.servicenow.com/docs/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "ServiceNow/PySNC:pysnc/auth.py",
            "ServiceNow/PySNC:pysnc/client.py",
            "amp-labs/connectors:providers/serviceNow.go (pkce)",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "The roles of the user decide which tables the user may read, so no verify path works for everyone; `/api/now/table/sys_user?sysparm_limit=1&sysparm_fields=sys_id` is the usual check. Government and self-hosted instances have other domains: add your own integration for them. ServiceNow's client also supports client credentials.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "shopify",
        title: "Shopify Admin",
        category: "ecommerce",
        base_url: "https://{shop}.myshopify.com/admin/api",
        variables: &[VariableFacts {
            name: "shop",
            description: "the shop name in `SHOP.myshopify.com`, such as `acme-store`",
            pattern: "^[a-z0-9][a-z0-9-]*$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "X-Shopify-Access-Token",
                value: "{access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Header {
                name: "X-Shopify-Access-Token",
                value: "{token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Admin API access token (shpat_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{shop}.myshopify.com/admin/oauth/authorize"),
            token_url: Some("https://{shop}.myshopify.com/admin/oauth/access_token"),
            token_params: &[("expiring", "1")],
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["read_products"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/2026-07/shop.json"),
        rate_limit_headers: &["X-Shopify-Shop-Api-Call-Limit", "Retry-After"],
        docs: "https://shopify.dev/docs/api/admin",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens",
            "https://shopify.dev/docs/apps/build/authentication-authorization/migrate-to-expiring-offline-access-tokens",
            "https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens.md",
            "Shopify/shopify-app-js:packages/apps/shopify-api/lib/auth/oauth/oauth.ts",
            "Shopify/shopify-app-js:packages/apps/shopify-api/lib/auth/oauth/refresh-token.ts",
            "Shopify/shopify-app-js:packages/apps/shopify-api/lib/types.ts",
        ],
        note: Some(
            "Send `expiring=1` when you exchange the code, or no refresh token is issued. Public apps that were created since 2026-04-01 must use expiring tokens, and from 2027-01-01 Shopify rejects other tokens of public apps (custom apps are exempt). Access tokens last 1 hour. Each refresh replaces the refresh token; since 2026-08-28, the old one works until the new one is used. The token call has the client ID and the client secret in the body. API versions are quarterly (2026-10 exists), and each lives about a year: change the version in your paths. REST is legacy, and new public apps must use GraphQL (POST), so the verify path may end. The scope of this entry is only an example: request the scopes that your app needs.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "shortcut",
        title: "Shortcut",
        category: "ticketing",
        base_url: "https://api.app.shortcut.com/api/v3",
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "Shortcut-Token",
            value: "{api_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_token`",
        fields: &[FieldFacts {
            name: "api_token",
            title: "API token",
            is_secret: true,
        }],
        verify: Some("/member"),
        docs: "https://developer.shortcut.com/api/rest/v3",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["useshortcut/shortcut-client-js:schema/shortcut.swagger.json"],
        ..Facts::EMPTY
    },
    Facts {
        name: "slack",
        title: "Slack",
        category: "messaging",
        base_url: "https://slack.com/api",
        domains: &["files.slack.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Bot or user token (xoxb-..., xoxp-...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://slack.com/oauth/v2/authorize"),
            token_url: Some("https://slack.com/api/oauth.v2.access"),
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            dead_errors: &["invalid_refresh_token"],
            scopes: &["users:read"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/auth.test"),
        verify_ok: Some("ok"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://docs.slack.dev/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.slack.dev/reference/methods/oauth.v2.access",
            "https://docs.slack.dev/authentication/using-token-rotation",
            "https://docs.slack.dev/changelog/2026/03/30/pkce",
            "https://docs.slack.dev/reference/methods/auth.test.md",
        ],
        note: Some(
            "Read `ok` in each body: Slack answers a wrong or expired token with HTTP 200 and `\"ok\": false` (`invalid_auth`, `token_expired`), so the status alone shows no error, and no refresh starts after a 401. Rotation of tokens is an option of the app: with rotation, tokens last 12 hours; without it, tokens do not expire and have no refresh token. A user token is in `authed_user.access_token`, and its scopes are requested in `user_scope`. Do not turn PKCE (available since 2026-03-30) on for a server app: the app becomes a public client permanently, and its refresh tokens end after 30 days. Slack prefers HTTP Basic at the token URL. Not confirmed by the vendor: GET works for `/auth.test`, which is documented as POST.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "smartrecruiters",
        title: "SmartRecruiters",
        category: "ats",
        base_url: "https://api.smartrecruiters.com",
        auth: &[
            AlternativeFacts::new(SchemeFacts::Header {
                name: "X-SmartToken",
                value: "{api_key}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_key`, or `access_token`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key",
            is_secret: true,
        }],
        verify: Some("/feed/publications"),
        docs: "https://developers.smartrecruiters.com/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://docs.unified.to/skills/smartrecruiters-oauth-app/SKILL.md",
            "https://developers.getknit.dev/docs/smartrecruiters-ats",
            "https://developers.smartrecruiters.com/docs/integration-workflow",
            "NangoHQ/nango:packages/providers/providers.yaml",
            "smartrecruiters/passport-smartrecruiters:lib/strategy.js",
            "smartrecruiters/sr-webhooks-client:README.md",
        ],
        note: Some(
            "An API key has every scope. For OAuth, the customer creates a client ID for client credentials in the Credential Manager, with scopes and a system role; the token URL is unknown. Not confirmed by the vendor: the authorization code flow is deprecated.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "smartsheet",
        title: "Smartsheet",
        category: "ticketing",
        base_url: "https://{host}/2.0",
        variables: &[
            VariableFacts {
                name: "app_host",
                description: "the host of the region's sign-in page, such as `app.smartsheet.com` or `app.smartsheet.eu`",
                pattern: r"^app\.(smartsheet\.com|smartsheet\.eu|smartsheet\.au|smartsheetgov\.com)$",
                default: None,
            },
            VariableFacts {
                name: "host",
                description: "the API host of the region: `api.smartsheet.com`, `api.smartsheet.eu`, `api.smartsheet.au` or `api.smartsheetgov.com`",
                pattern: r"^api\.(smartsheet\.com|smartsheet\.eu|smartsheet\.au|smartsheetgov\.com)$",
                default: None,
            },
        ],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{app_host}/b/authorize"),
            token_url: Some("https://{host}/2.0/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["READ_SHEETS"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        docs: "https://developers.smartsheet.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.smartsheet.com/api/smartsheet/guides/basics/authentication.md",
            "https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth.md",
            "smartsheet/smartsheet-python-sdk:smartsheet/__init__.py",
        ],
        note: Some(
            "A token of one region does not work in another region. Smartsheet's SDK sends the client secret, or a hash with it, in the body of the token call.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "square",
        title: "Square",
        category: "payments",
        base_url: "https://connect.squareup.com",
        domains: &["connect.squareupsandbox.com"],
        headers: &[("Square-Version", "2026-08-19")],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://connect.squareup.com/oauth2/authorize"),
            token_url: Some("https://connect.squareup.com/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["MERCHANT_PROFILE_READ"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v2/merchants"),
        docs: "https://developer.squareup.com/reference/square",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "square/connect-api-specification:api.json",
            "square/square-python-sdk:src/square/environment.py",
            "square/square-python-sdk:src/square/core/client_wrapper.py",
            "https://developer.squareup.com/docs/build-basics/versioning",
        ],
        note: Some(
            "Access tokens last 30 days. In the code flow with a client secret, the refresh token stays the same; with PKCE, a verifier replaces the client secret, and a refresh token works once. This entry sends a `Square-Version`; without this header, Square uses the application's version. The sandbox has its own OAuth URLs at connect.squareupsandbox.com.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "stripe",
        title: "Stripe",
        category: "payments",
        base_url: "https://api.stripe.com",
        domains: &["files.stripe.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `token`, or `access_token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Secret key (sk_...) or restricted key (rk_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://connect.stripe.com/oauth/authorize"),
            token_url: Some("https://connect.stripe.com/oauth/token"),
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/v1/balance"),
        rate_limit_headers: &["Stripe-Rate-Limited-Reason"],
        docs: "https://docs.stripe.com/api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.stripe.com/api/authentication",
            "https://docs.stripe.com/stripe-apps/api-authentication",
            "stripe/stripe-python:stripe/__init__.py",
            "stripe/stripe-python:stripe/_oauth.py",
            "stripe/stripe-python:stripe/_balance.py",
        ],
        note: Some(
            "A restricted key has rights for single resources, so treat a 403 at the verify path as a valid key, and a 401 as a wrong key. Without `Stripe-Version`, Stripe uses the version of the account. `Stripe-Account` selects a connected account. The token URL of Connect expects the secret key as bearer or in the body, and not the client ID by HTTP Basic. The key also works as the user name of HTTP Basic. Stripe's SDK calls meter-events.stripe.com with separate session tokens.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "surveymonkey",
        title: "SurveyMonkey",
        category: "marketing",
        base_url: "https://api.surveymonkey.com/v3",
        domains: &["api.eu.surveymonkey.com", "api.surveymonkey.ca"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Access token (of a private app)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.surveymonkey.com/oauth/authorize"),
            token_url: Some("https://api.surveymonkey.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["users_read"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &[
            "X-Ratelimit-App-Global-Minute-Limit",
            "X-Ratelimit-App-Global-Minute-Remaining",
            "X-Ratelimit-App-Global-Minute-Reset",
            "X-Ratelimit-App-Global-Day-Limit",
            "X-Ratelimit-App-Global-Day-Remaining",
            "X-Ratelimit-App-Global-Day-Reset",
        ],
        docs: "https://api.surveymonkey.com/v3/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "SurveyMonkey/public_api_docs:includes/_overview.md",
            "SurveyMonkey/public_api_docs:includes/_users.md",
        ],
        note: Some(
            "Read `access_url` in the token answer: the data center of the account decides the host. If the host is api.eu.surveymonkey.com or api.surveymonkey.ca, name it in `__domain`. Scopes are set in the app, and a user can only accept all of them. Tokens do not expire today. These facts are from a 2021 copy of SurveyMonkey's documentation.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "teamtailor",
        title: "Teamtailor",
        category: "ats",
        base_url: "https://api.teamtailor.com/v1",
        headers: &[("X-Api-Version", "20240904")],
        auth: &[AlternativeFacts::new(SchemeFacts::Header {
            name: "Authorization",
            value: "Token token={api_key}",
        })],
        needs: "secrets of the connection are missing: its owner must set `api_key`",
        fields: &[FieldFacts {
            name: "api_key",
            title: "API key (scope Admin)",
            is_secret: true,
        }],
        verify: Some("/users"),
        rate_limit_headers: &[
            "X-Rate-Limit-Limit",
            "X-Rate-Limit-Remaining",
            "X-Rate-Limit-Reset",
        ],
        docs: "https://docs.teamtailor.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "https://docs.airbyte.com/integrations/sources/teamtailor",
            "https://docs.unified.to/integrations/teamtailor.md",
            "Teamtailor/docs:source/includes/_auth.md.erb",
            "Teamtailor/teamtailor-rb:lib/teamtailor/request.rb",
            "Teamtailor/teamtailor-rb:lib/teamtailor/client.rb",
        ],
        note: Some(
            "A key has the scope Public, Internal or Admin. The verify path `/users` needs Admin; `/jobs` works with every scope. The header `X-Api-Version` is required, and this entry sends it. Not confirmed by the vendor: there are two data regions, EU and US West (no second host is known).",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "trello",
        title: "Trello",
        category: "ticketing",
        base_url: "https://api.trello.com/1",
        auth: &[
            AlternativeFacts {
                also_query: &[("key", "{api_key}")],
                ..AlternativeFacts::new(SchemeFacts::Query {
                    name: "token",
                    value: "{api_token}",
                })
            },
            AlternativeFacts::new(SchemeFacts::OAuth1 {
                signature_method: "HMAC-SHA1",
                realm: None,
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `api_token` and `api_key`, or `consumer_key`, `consumer_secret`, `token` and `token_secret`",
        fields: &[
            FieldFacts {
                name: "api_key",
                title: "API key",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token",
                is_secret: true,
            },
        ],
        verify: Some("/members/me?fields=id"),
        rate_limit_headers: &[
            "x-rate-limit-api-key-remaining",
            "x-rate-limit-api-token-remaining",
        ],
        docs: "https://developer.atlassian.com/cloud/trello/rest/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/",
            "https://developer.atlassian.com/cloud/trello/guides/rest-api/rate-limits",
            "https://developer.atlassian.com/cloud/trello/guides/rest-api/api-introduction",
        ],
        note: Some(
            "Do not use the verify path often: all paths below `/1/members/` share a limit of 100 calls in 900 seconds. Above a limit, the body of the 429 contains `API_KEY_LIMIT_EXCEEDED` or `API_TOKEN_LIMIT_EXCEEDED`. The key may be public, but the token is secret. Besides OAuth 1.0, a user can authorize at https://trello.com/1/authorize, which returns the token in the URL fragment. Not confirmed by the vendor: the rate limit headers of this entry.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "twilio",
        title: "Twilio",
        category: "messaging",
        base_url: "https://api.twilio.com/2010-04-01",
        domains: &[
            "accounts.twilio.com",
            "assistants.twilio.com",
            "bulkexports.twilio.com",
            "chat.twilio.com",
            "content.twilio.com",
            "conversations.twilio.com",
            "events.twilio.com",
            "flex-api.twilio.com",
            "iam.twilio.com",
            "insights.twilio.com",
            "intelligence.twilio.com",
            "ip-messaging.twilio.com",
            "knowledge.twilio.com",
            "lookups.twilio.com",
            "marketplace.twilio.com",
            "messaging.twilio.com",
            "monitor.twilio.com",
            "notify.twilio.com",
            "numbers.twilio.com",
            "oauth.twilio.com",
            "preview.twilio.com",
            "pricing.twilio.com",
            "proxy.twilio.com",
            "routes.twilio.com",
            "serverless.twilio.com",
            "studio.twilio.com",
            "supersim.twilio.com",
            "sync.twilio.com",
            "taskrouter.twilio.com",
            "trunking.twilio.com",
            "trusthub.twilio.com",
            "verify.twilio.com",
            "video.twilio.com",
            "voice.twilio.com",
            "wireless.twilio.com",
        ],
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{account_sid}",
            password: "{auth_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `account_sid` and `auth_token`",
        fields: &[
            FieldFacts {
                name: "account_sid",
                title: "Account SID (AC...)",
                is_secret: false,
            },
            FieldFacts {
                name: "auth_token",
                title: "Auth token",
                is_secret: true,
            },
        ],
        verify: Some("/Accounts/{account_sid}.json"),
        docs: "https://www.twilio.com/docs/usage/api",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "twilio/twilio-oai:spec/json/twilio_api_v2010.json",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Twilio recommends API keys: the SID of the key (SK...) and its secret are then the user name and the password. The paths still contain the account SID (AC...), so do not use one value for both. Not confirmed by the vendor: a standard API key cannot read `/Accounts`, so it fails at the verify path. The hosts of this entry are from Twilio's specifications of April 2026.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "typeform",
        title: "Typeform",
        category: "marketing",
        base_url: "https://api.typeform.com",
        domains: &["api.typeform.eu", "api.eu.typeform.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Personal access token (tfp_...)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.typeform.com/oauth/authorize"),
            token_url: Some("https://api.typeform.com/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["accounts:read", "offline"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/me"),
        docs: "https://www.typeform.com/developers/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "Typeform/js-api-client:src/constants/index.ts",
            "https://nango.dev/docs/api-integrations/typeform/how-to-register-your-own-typeform-api-oauth-app",
            "api-evangelist/typeform:authentication/typeform-authentication.yml",
        ],
        note: Some(
            "Request the scope `offline`, or no refresh token is issued. The EU data center (api.typeform.eu) has its own authorization server and its own registration of clients, so its OAuth URLs differ as well. Not confirmed by the vendor: the OAuth details of this entry.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "wave",
        title: "Wave (GraphQL)",
        category: "accounting",
        base_url: "https://gql.waveapps.com",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://api.waveapps.com/oauth2/authorize"),
            token_url: Some("https://api.waveapps.com/oauth2/token/"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://developer.waveapps.com/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &["NangoHQ/nango:packages/providers/providers.yaml"],
        note: Some(
            "Wave has only GraphQL, so there is no verify path: check with POST `/graphql/public` and the query `query { user { id } }`. Not confirmed by the vendor: the names of the scopes, and what a refresh does to the refresh token.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "webex",
        title: "Webex",
        category: "messaging",
        base_url: "https://webexapis.com/v1",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Bot token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://webexapis.com/v1/authorize"),
            token_url: Some("https://webexapis.com/v1/access_token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["spark:people_read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/people/me"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://developer.webex.com/docs",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "webex/webex-openapi-specs:public-spec/webex-messaging.json",
            "api-evangelist/webex:collections/webex-admin.opencollection.json",
            "https://developer.webex.com/docs/login-with-webex",
            "webex/webex-openapi-specs:public-spec/webex-admin.json",
        ],
        note: Some(
            "Webex recommends the authorization code flow with PKCE. Personal tokens from the developer site last only a short time: use a bot token or OAuth. The contact center API has its own hosts. Not confirmed by the vendor: the scope `spark:people_read`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "webflow",
        title: "Webflow",
        category: "marketing",
        base_url: "https://api.webflow.com/v2",
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API token (of a site)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://webflow.com/oauth/authorize"),
            token_url: Some("https://api.webflow.com/oauth/access_token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["authorized_user:read", "sites:read"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/token/introspect"),
        rate_limit_headers: &["X-RateLimit-Limit", "X-RateLimit-Remaining", "Retry-After"],
        docs: "https://developers.webflow.com/data/reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "webflow/webflow-python:src/webflow/oauth.py",
            "webflow/webflow-python:src/webflow/environment.py",
            "webflow/webflow-python:reference.md",
            "webflow/js-webflow-api:src/api/resources/token/client/Client.ts",
        ],
        note: Some(
            "The verify path works for tokens of OAuth apps; check a site token with GET `/sites` (scope `sites:read`). Webflow issues no refresh token. The token URL is `/oauth/access_token`, as in Webflow's SDK; some lists of other projects name `/oauth/token`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "woocommerce",
        title: "WooCommerce",
        category: "ecommerce",
        base_url: "https://{store}/wp-json/wc/v3",
        variables: &[VariableFacts {
            name: "store",
            description: "the public host of the shop, such as `shop.example.com`; the connection must set it, never a caller",
            pattern: r"^([a-z0-9-]+\.)+[a-z]{2,}$",
            default: None,
        }],
        has_variable_host: true,
        auth: &[AlternativeFacts::new(SchemeFacts::Basic {
            username: "{consumer_key}",
            password: "{consumer_secret}",
        })],
        needs: "secrets of the connection are missing: its owner must set `consumer_key` and `consumer_secret`",
        fields: &[
            FieldFacts {
                name: "consumer_key",
                title: "Consumer key (ck_...)",
                is_secret: false,
            },
            FieldFacts {
                name: "consumer_secret",
                title: "Consumer secret (cs_...)",
                is_secret: true,
            },
        ],
        verify: Some("/customers?per_page=1"),
        docs: "https://woocommerce.github.io/woocommerce-rest-api-docs/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "woocommerce/woocommerce-rest-api-docs:source/includes/wp-api-v3/_authentication.md",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "A key may read, write or both: a key that may only write fails at the verify path. Some servers drop the `Authorization` header: `consumer_key` and `consumer_secret` then go into the query, only over HTTPS. The shop must use HTTPS, because this entry does not offer the OAuth 1.0a that the API requires for plain HTTP. Sites without pretty permalinks have no path `/wp-json`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "workable",
        title: "Workable",
        category: "ats",
        base_url: "https://{subdomain}.workable.com/spi/v3",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.workable.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        domains: &["www.workable.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `token`, or `access_token`",
        fields: &[
            FieldFacts {
                name: "token",
                title: "API access token",
                is_secret: true,
            },
            FieldFacts {
                name: "subdomain",
                title: "Subdomain",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.workable.com/oauth/authorize"),
            token_url: Some("https://www.workable.com/oauth/token"),
            scopes: &["r_jobs", "r_candidates"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/accounts"),
        rate_limit_headers: &[
            "X-Rate-Limit-Limit",
            "X-Rate-Limit-Remaining",
            "X-Rate-Limit-Reset",
        ],
        docs: "https://workable.readme.io/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://workable.readme.io/page/oauth",
            "https://workable.readme.io/docs/rate-limits",
            "https://workable.readme.io/reference/generate-an-access-token.md",
            "NangoHQ/nango:packages/providers/providers.yaml (workable-oauth; accounts in the post-connection hook)",
            "https://workable.readme.io/docs/accountssubdomain",
        ],
        note: Some(
            "The verify path `/accounts` needs the scope `r_jobs` and works with all kinds of tokens; Workable documents it at workable.com/spi/v3/accounts, without the subdomain. The limit is 10 calls in 10 seconds for a token of an account, and 50 for OAuth and partner tokens. OAuth is for partners, with a client that Workable issues.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "workday",
        title: "Workday (REST)",
        category: "hris",
        base_url: "https://{host}/ccx/api",
        variables: &[
            VariableFacts {
                name: "authorization_host",
                description: "the host of the tenant's sign-in page, such as `impl.workday.com`; different from the service host",
                pattern: r"^([a-z0-9-]+\.)?(workday|myworkday)\.com$",
                default: None,
            },
            VariableFacts {
                name: "host",
                description: "the service host of the tenant's data center, such as `wd2-impl-services1.workday.com`",
                pattern: r"^[a-z0-9-]+\.(workday|myworkday)\.com$",
                default: None,
            },
            VariableFacts {
                name: "tenant",
                description: "the tenant name, such as `acme_dpt1`",
                pattern: "^[A-Za-z0-9_-]+$",
                default: None,
            },
        ],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{authorization_host}/{tenant}/authorize"),
            token_url: Some("https://{host}/ccx/oauth2/{tenant}/token"),
            client_auth: TokenEndpointAuth::Basic,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://community.workday.com/sites/default/files/file-hosting/restapi/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml (workday-oauth)",
            "amp-labs/connectors:providers/workday.go",
            "Workday/workday-prism-analytics-data-loader:README.md",
        ],
        note: Some(
            "An administrator creates the OAuth client and its scopes in each tenant. The authorization page has another host than the API. No verify path is known that every integration user may call. Workday's documentation is only for customers. Not confirmed by the vendor: some clients authorize at https://HOST/ccx/oauth2/TENANT/authorize instead.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "wrike",
        title: "Wrike",
        category: "ticketing",
        base_url: "https://{host}/api/v4",
        variables: &[VariableFacts {
            name: "host",
            description: "the host of the account, from `host` of the token answer, such as `www.wrike.com` or `app-eu.wrike.com`",
            pattern: r"^(www|app-[a-z0-9]+)\.wrike\.com$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Permanent access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.wrike.com/oauth2/authorize/v4"),
            token_url: Some("https://login.wrike.com/oauth2/token"),
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["wsReadOnly"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/contacts?me=true"),
        docs: "https://developers.wrike.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.wrike.com/oauth-20-authorization",
            "https://developers.wrike.com/docs/oauth-20-authorization.md",
            "https://developers.wrike.com/docs/overview.md",
        ],
        note: Some(
            "The token answer contains the host for the account's calls; accounts in the EU data center have another host. If a request names no scope, Wrike grants `wsReadWrite`. Wrike supports only the authorization code flow. Not confirmed by the vendor: the parameter `me=true` of the verify path.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "x",
        title: "X (Twitter) API v2",
        category: "marketing",
        base_url: "https://api.x.com",
        domains: &["api.twitter.com"],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::OAuth1 {
                signature_method: "HMAC-SHA1",
                realm: None,
            }),
            AlternativeFacts::new(SchemeFacts::Bearer("{token}")),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `consumer_key`, `consumer_secret`, `token` and `token_secret`, or `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "Bearer token (app-only)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://x.com/i/oauth2/authorize"),
            token_url: Some("https://api.x.com/2/oauth2/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["tweet.read", "users.read", "offline.access"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/2/users/me"),
        rate_limit_headers: &[
            "x-rate-limit-limit",
            "x-rate-limit-remaining",
            "x-rate-limit-reset",
        ],
        docs: "https://docs.x.com/x-api/introduction",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "xdevplatform/docs:fundamentals/authentication/oauth-2-0/authorization-code.mdx",
            "xdevplatform/docs:fundamentals/authentication/oauth-2-0/user-access-token.mdx",
            "xdevplatform/docs:fundamentals/authentication/guides/v2-authentication-mapping.mdx",
            "xdevplatform/docs:x-api/fundamentals/rate-limits.mdx",
            "xdevplatform/docs:x-api/media/quickstart/best-practices.mdx",
        ],
        note: Some(
            "Use OAuth with PKCE, which is required, and request `offline.access`, or no refresh token is issued. Access tokens last 2 hours. The verify path needs a user's token: an app-only bearer token gets 403. A public client sends `client_id` in the body instead of HTTP Basic. The plan limits the calls or bills them.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "xai",
        title: "xAI",
        category: "llm",
        base_url: "https://api.x.ai/v1",
        domains: &["us.api.x.ai"],
        auth: &[AlternativeFacts::new(SchemeFacts::Bearer("{token}"))],
        needs: "secrets of the connection are missing: its owner must set `token`",
        fields: &[FieldFacts {
            name: "token",
            title: "API key (xai-...)",
            is_secret: true,
        }],
        verify: Some("/api-key"),
        docs: "https://docs.x.ai/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.x.ai/developers/advanced-api-usage/regions",
            "xai-org/xai-sdk-python:src/xai_sdk/client.py",
            "https://raw.githubusercontent.com/api-evangelist/xai/refs/heads/main/openapi/xai-api-key-api-openapi.yml",
        ],
        note: Some(
            "Count a 400 at the verify path as a wrong key: `/api-key` answers 400, not 401, to an invalid key. The body also shows if a key is blocked or disabled. The current documentation names only the regional host us.api.x.ai; older pages named us-east-1.api.x.ai and eu-west-1.api.x.ai. management-api.x.ai needs other keys.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "xero",
        title: "Xero",
        category: "accounting",
        base_url: "https://api.xero.com",
        headers: &[("Accept", "application/json")],
        auth: &[AlternativeFacts {
            also_headers: &[("Xero-Tenant-Id", "{tenant_id}")],
            ..AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            })
        }],
        needs: "secrets of the connection are missing: its owner must set `access_token` and `tenant_id`",
        fields: &[FieldFacts {
            name: "tenant_id",
            title: "Tenant ID",
            is_secret: false,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.xero.com/identity/connect/authorize"),
            token_url: Some("https://identity.xero.com/connect/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &[
                "openid",
                "profile",
                "email",
                "offline_access",
                "accounting.settings.read",
            ],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/connections"),
        rate_limit_headers: &[
            "X-DayLimit-Remaining",
            "X-MinLimit-Remaining",
            "X-AppMinLimit-Remaining",
            "X-Rate-Limit-Problem",
            "Retry-After",
        ],
        docs: "https://developer.xero.com/documentation/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "XeroAPI/Xero-OpenAPI:xero-identity.yaml",
            "XeroAPI/Xero-OpenAPI:xero_accounting.yaml",
            "https://developer.xero.com/faq/granular-scopes",
            "https://www.apideck.com/blog/xero-scopes.md",
        ],
        note: Some(
            "After consent, call GET `/connections`, which lists the tenants and needs no tenant header. Store the chosen tenant as `tenant_id` of the connection: this entry sends it in `Xero-Tenant-Id`. Apps that were created since 2026-03-02 get `invalid_scope` for `accounting.transactions` and `accounting.reports.read`: request narrower scopes such as `accounting.invoices.read`, `accounting.payments.read`, `accounting.banktransactions.read` or `accounting.reports.balancesheet.read`. Older apps have time until September 2027. PKCE works for public apps, and together with the secret for confidential apps.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "zendesk",
        title: "Zendesk Support",
        category: "ticketing",
        base_url: "https://{subdomain}.zendesk.com",
        variables: &[VariableFacts {
            name: "subdomain",
            description: "the subdomain in `SUBDOMAIN.zendesk.com`, such as `acme`",
            pattern: "^[a-z0-9-]+$",
            default: None,
        }],
        auth: &[
            AlternativeFacts::new(SchemeFacts::OAuth2 {
                header: "Authorization",
                value: "Bearer {access_token}",
            }),
            AlternativeFacts::new(SchemeFacts::Basic {
                username: "{email}/token",
                password: "{api_token}",
            }),
        ],
        needs: "secrets of the connection are missing: its owner must set `access_token`, or `email` and `api_token`",
        fields: &[
            FieldFacts {
                name: "email",
                title: "Email address of the agent",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token",
                is_secret: true,
            },
            FieldFacts {
                name: "subdomain",
                title: "Subdomain",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{subdomain}.zendesk.com/oauth/authorizations/new"),
            token_url: Some("https://{subdomain}.zendesk.com/oauth/tokens"),
            token_params: &[("expires_in", "1800")],
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Rotating,
            scopes: &["read"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/api/v2/users/me.json"),
        verify_ok: Some("user.id"),
        rate_limit_headers: &[
            "X-Rate-Limit",
            "X-Rate-Limit-Remaining",
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "Retry-After",
        ],
        docs: "https://developer.zendesk.com/api-reference/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://support.zendesk.com/hc/en-us/articles/9182123625370",
            "https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token",
            "https://developer.zendesk.com/documentation/api-basics/authentication/oauth-pkce",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Send `expires_in` in the code exchange and in each refresh. Without it, an OAuth client that was created before 2026-04-30 gets a token that does not expire, and no refresh token; newer clients get tokens of 30 minutes by default. `refresh_token_expires_in` also exists. Tokens that expire are required of every customer by 2027-04-01 (phase 2 from 2026-06-30). A refresh deletes both old tokens. PKCE with S256 works for Ticketing, Help Center and Voice only, also together with the secret. Not confirmed by the vendor: without a credential, the verify path answers 200 with an anonymous user (`id` is null), so check `user.id`.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "zoho-books",
        title: "Zoho Books",
        category: "accounting",
        base_url: "https://www.zohoapis.{region}/books/v3",
        variables: &[
            VariableFacts {
                name: "accounts_host",
                description: "the accounts host of the user's data center, from `accounts-server` of the callback, such as `accounts.zoho.eu`",
                pattern: r"^(accounts\.zoho\.(com|eu|in|com\.au|jp|sa|com\.cn)|accounts\.zohocloud\.ca)$",
                default: None,
            },
            VariableFacts {
                name: "region",
                description: "the ending of `www.zohoapis.REGION` for the user's data center, from `api_domain` of the token answer, such as `com`, `eu` or `com.au`",
                pattern: r"^(com|eu|in|com\.au|jp|ca|sa|com\.cn)$",
                default: None,
            },
        ],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Zoho-oauthtoken {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{accounts_host}/oauth/v2/auth"),
            token_url: Some("https://{accounts_host}/oauth/v2/token"),
            authorize_params: &[("access_type", "offline"), ("prompt", "consent")],
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["ZohoBooks.settings.READ"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/organizations"),
        docs: "https://www.zoho.com/books/api/v3/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://www.zoho.com/books/api/",
            "https://zoho.com/bookings/help/api/v1/domain-specificapiurls.html",
            "https://docs.unified.to/skills/zoho-books-oauth-app/SKILL.md",
        ],
        note: Some(
            "Take the hosts from the answers: the data center of the user, not of the app, decides them. `accounts-server` in the callback names the accounts host (for Canada accounts.zohocloud.ca), and `api_domain` in the token answer names the API host. Each call except `/organizations` needs the parameter `organization_id`. Version 4 of the API (www.zohoapis.com/books/v4) has its own documentation.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "zoho-crm",
        title: "Zoho CRM",
        category: "crm",
        base_url: "https://www.zohoapis.{region}",
        variables: &[
            VariableFacts {
                name: "accounts_host",
                description: "the accounts host of the user's data center, from `accounts-server` of the callback, such as `accounts.zoho.eu`",
                pattern: r"^(accounts\.zoho\.(com|eu|in|com\.au|jp|sa|com\.cn)|accounts\.zohocloud\.ca)$",
                default: None,
            },
            VariableFacts {
                name: "content_host",
                description: "the host for files of the user's data center, such as `content.zohoapis.eu`, `upload.zohocloud.ca` or `files.zoho.sa`",
                pattern: r"^(content\.zohoapis\.(com|eu|in|com\.au|jp|com\.cn)|upload\.zohocloud\.ca|files\.zoho\.sa)$",
                default: None,
            },
            VariableFacts {
                name: "region",
                description: "the ending of `www.zohoapis.REGION` for the user's data center, from `api_domain` of the token answer, such as `com`, `eu` or `com.au`",
                pattern: r"^(com|eu|in|com\.au|jp|ca|sa|com\.cn)$",
                default: None,
            },
        ],
        domains: &["{content_host}"],
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Zoho-oauthtoken {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://{accounts_host}/oauth/v2/auth"),
            token_url: Some("https://{accounts_host}/oauth/v2/token"),
            authorize_params: &[("access_type", "offline"), ("prompt", "consent")],
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
            scopes: &["ZohoCRM.org.READ", "ZohoCRM.modules.READ"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/crm/v8/org"),
        rate_limit_headers: &[
            "X-RATELIMIT-LIMIT",
            "X-RATELIMIT-REMAINING",
            "X-RATELIMIT-RESET",
        ],
        docs: "https://www.zoho.com/crm/developer/docs/api/v8/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "zoho/zohocrm-python-sdk-8.0:versions/5.0.0/zohocrmsdk/src/com/zoho/crm/api/dc/",
            "zoho/zohocrm-python-sdk-8.0:versions/5.0.0/zohocrmsdk/src/com/zoho/crm/api/util/constants.py",
        ],
        note: Some(
            "Take the hosts from the answers: a user of another data center is redirected, and `accounts-server` in the callback names the accounts host (for Canada accounts.zohocloud.ca, with the API at www.zohoapis.ca). Files are at content.zohoapis.REGION in com, eu, in, com.au, jp and com.cn, at upload.zohocloud.ca in Canada, and at files.zoho.sa in Saudi Arabia. `access_type=offline`, which this entry sends, is necessary for a refresh token; a refresh returns no new refresh token. Sandboxes are at sandbox.zohoapis.REGION and developer.zohoapis.REGION. Not confirmed by the vendor: the verify path and the scopes.",
        ),
        ..Facts::EMPTY
    },
    Facts {
        name: "zoom",
        title: "Zoom",
        category: "messaging",
        base_url: "https://api.zoom.us/v2",
        auth: &[AlternativeFacts::new(SchemeFacts::OAuth2 {
            header: "Authorization",
            value: "Bearer {access_token}",
        })],
        needs: "secrets of the connection are missing: its owner must set `access_token`",
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://zoom.us/oauth/authorize"),
            token_url: Some("https://zoom.us/oauth/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["user:read:user"],
            pkce: Pkce::Supported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &[
            "X-RateLimit-Category",
            "X-RateLimit-Type",
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "Retry-After",
        ],
        docs: "https://developers.zoom.us/docs/api/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://developers.zoom.us/docs/api/using-zoom-apis/",
            "https://developers.zoom.us/blog/pcke-oauth-with-postman-rest-api.md",
            "anthropics/knowledge-work-plugins:partner-built/zoom-plugin/skills/rest-api/concepts/authentication-flows.md",
            "https://developers.zoom.us/docs/api/rest/marketplace-api/",
            "zoom/skills:skills/oauth/SKILL.md",
        ],
        note: Some(
            "A refresh token works once: store the new refresh token before you use the access token. Scopes are set in the app, so a request need not name them; `user:read:user` is the granular scope for reading a user. Server-to-server apps use `grant_type=account_credentials` with `account_id`, and get no refresh token; this entry does not cover them.",
        ),
        ..Facts::EMPTY
    },
];
