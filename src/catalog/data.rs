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
            description: "account name",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/activecampaign:authentication/activecampaign-authentication.yml (copies the vendor's OpenAPI)",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "The whole API URL is shown in the account's developer settings; some accounts have {account}.activehosted.com. One flat key per user, no scopes, no OAuth.",
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
            "api-v1 is the only scope and has to be asked for. 401 for bad credentials is documented; a plan without API access gets 403.",
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
                title: "Private key (PEM)",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &["NangoHQ/nango:packages/providers/providers.yaml"],
        note: Some(
            "The certificate is needed for the token call and for every API call. What a client may call depends on the customer's consent, so no GET suits all: take a successful token call as the check.",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://developer.aircall.io/tutorials/how-aircall-oauth-flow-works",
            "https://developer.aircall.io/api-references/",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "The authorize URL was on the vendor's page; token URL, base and scope come from third parties (one gives auth.aircall.io, most don't). The install starts in Aircall's dashboard (install_uri). The scope public_api has to be asked for.",
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
            "PKCE with S256 is required, also for clients with a secret, and at least one scope must be asked for. Basic at the token endpoint only when the integration has a secret; otherwise client_id in the body. whoami (no scope needed; email only with user.email:read) is from third-party code. API keys (key...) are gone since 2024. Rate limit 5 requests a second per base, 429 then a 30 second pause (unverified).",
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
            description: "application id",
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
            "GET /indexes?hitsPerPage=1 needs the right listIndexes; any key may read itself at /keys/{api_key}, but the key is then in a URL. Bad keys get 403. The -1, -2, -3 hosts on algolianet.com are for retries.",
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
                description: "na, eu or fe",
                pattern: "^(na|eu|fe)$",
                default: None,
            },
            VariableFacts {
                name: "seller_central",
                description: "host of the marketplace's Seller Central",
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
            "The authorization URL is on the marketplace's Seller Central host (sellercentral.amazon.com, sellercentral-europe.amazon.com and so on). It takes application_id instead of client_id, answers with spapi_oauth_code instead of code, so a plain client won't do. verify is limited to 0.016 a second (burst 15): call it rarely. Restricted data needs a token from the tokens API.",
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
            "Sending events is another host (api2.amplitude.com, api.eu.amplitude.com) with the API key in the body. The copy of the vendor's docs is from 2024.",
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
            "The SDKs send either X-Api-Key or `Authorization: Bearer` (OAuth and federated tokens), never both; bearer is missing in `also`. anthropic-version 2023-06-01 is still what the SDKs pin. Admin keys are a separate kind for /v1/organizations and won't list models.",
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
        docs: "https://docs.apollo.io/reference",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "https://docs.apollo.io/reference/authentication.md",
            "https://docs.apollo.io/docs/test-api-key.md",
        ],
        note: Some(
            "The vendor's own example for testing a key is auth/health; it may answer 200 with is_logged_in false for a bad key (third-party verifiers read that field), so read the body. Some calls need a master key. Partners use OAuth 2.0 (third parties: authorize at https://app.apollo.io, token https://app.apollo.io/api/v1/oauth/token, no PKCE).",
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
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/users/me"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://developers.asana.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &["Asana/openapi:defs/asana_oas.yaml"],
        note: Some(
            "An app uses either full permissions (scope `default`, also what an empty request means) or granular ones such as tasks:read: don't send a fixed default. users:read is the granular scope for users, so /users/me wants it there. No PKCE word in the spec.",
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
            "RPC style: no GET to verify, POST /apiKey.info does it. A missing key gets 401, a wrong one 403, and a valid one without the permission also 403 with missing_endpoint_permission: tell them apart by the body.",
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
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/self"),
        rate_limit_headers: &["Retry-After"],
        docs: "https://docs.attio.com/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://docs.attio.com/rest-api/guides/authentication",
            "https://docs.attio.com/rest-api/guides/configuring-oauth.md",
            "NangoHQ/nango: post-connection hook (verify path)",
            "amp-labs/connectors:providers/attio.go",
        ],
        note: Some(
            "Basic works as well (token as user, empty password). Scopes are set at the app, a fresh API key has none. An unpublished app is limited to 25 workspaces. The token URL is on app.attio.com, not on api.attio.com. Whether refresh tokens are issued is unknown.",
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
            description: "AWS region",
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
                title: "AWS access key id",
                is_secret: false,
            },
            FieldFacts {
                name: "secret_access_key",
                title: "AWS secret access key",
                is_secret: true,
            },
            FieldFacts {
                name: "session_token",
                title: "Session token (temporary credentials only)",
                is_secret: true,
            },
            FieldFacts {
                name: "token",
                title: "or: Bedrock API key",
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
            "No GET on the runtime host suits every identity. On the control host bedrock.{region}.amazonaws.com GET /foundation-models lists models, if IAM allows bedrock:ListFoundationModels; AWS answers 403 for bad signatures and for missing rights alike, so tell them apart by the error's type. Bedrock API keys are limited to Bedrock and Bedrock Runtime actions (so not the agent-runtime host); short-term ones last up to 12 hours. An OpenAI-compatible endpoint exists at https://bedrock-mantle.{region}.api.aws/openai/v1.",
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
            description: "AWS region",
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
                title: "Session token (temporary credentials)",
                is_secret: true,
            },
        ],
        docs: "https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html",
        confidence: Confidence::Unverified,
        base_url_confidence: Confidence::Unverified,
        checked: "2026-11-29",
        sources: &[
            "https://docs.aws.amazon.com/sdkfornet/v4/apidocs/items/S3/TListBucketsRequest.html",
        ],
        note: Some(
            "Hosts such as s3.dualstack.{region}.amazonaws.com are public suffixes, so `__domain` can't name them. Listing buckets (GET /) wants s3:ListAllMyBuckets (vendor), so a narrow key fails there and verify needs a bucket. Unverified: GetCallerIdentity at sts.{region}.amazonaws.com works for any key but is another host and service. China and GovCloud have other suffixes or regions; virtual-hosted buckets are BUCKET.s3.REGION.amazonaws.com.",
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
                description: "organisation's name",
                pattern: "^[A-Za-z0-9][A-Za-z0-9-]*$",
                default: None,
            },
            VariableFacts {
                name: "tenant",
                description: "tenant of Microsoft Entra ID: its id or domain, or organizations",
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
            title: "Personal access token (of this organisation)",
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
            "Tokens for all organisations (global PATs) stop working on 2026-12-01; creation was blocked 2026-03-15. Azure DevOps' own OAuth is deprecated (no new apps since April 2025, end in 2026): OAuth 2.0 means Microsoft Entra ID (tenant: organizations), with the scopes of the resource 499b84ac-1321-427f-aa17-267ca6975798. A bad PAT is often answered with a redirect or a 203/202 sign-in page instead of 401: count anything but JSON with 200 as bad. projects needs the vso.project right; 403 or 401 without it. The URLs of Entra are unverified.",
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
            description: "resource name",
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
            title: "Resource key (key 1 or key 2)",
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
            "Since August 2025 the v1 API (/openai/v1/...) needs no api-version; the older paths (/openai/deployments/...) answer 404 without ?api-version=. Microsoft Entra ID tokens go as bearer (role Cognitive Services OpenAI User). Resource names are also served as {resource}.services.ai.azure.com/openai/v1 for Foundry.",
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
            description: "company's subdomain",
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
                title: "Company subdomain",
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
            "authorize.php wants request=authorize, token.php request=token. The SDK hands back a new access and a new refresh token after each refresh: store both. https://api.bamboohr.com/api/gateway.php/{company} serves the same paths. A key that lacks field access can be refused at /v1/meta/fields though it is valid.",
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
            description: "numeric account id, from authorization.json",
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
            pkce: Pkce::Unknown,
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
        ],
        note: Some(
            "The vendor calls type=web_server and type=refresh legacy and not recommended. User-Agent with a contact is required (400 without). Access token 2 weeks. Accounts come from GET https://launchpad.37signals.com/authorization.json: pick those with product bc3.",
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
            description: "store's hash",
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
            "The vendor says /v2/time is meant for testing credentials. oauth2 stands in `also` without URLs. The flow starts in the store's control panel, which calls the app with code, scope and context (stores/{hash}): context and scope must be sent back at the token call, so a plain authorization-code client won't do. Tokens don't expire by time.",
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
                title: "Atlassian account e-mail",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token with Bitbucket scopes",
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
            "App passwords stopped on 2026-06-09: `basic` now means e-mail + API token (with scopes, for Bitbucket). Workspace, project and repository access tokens go as bearer and can't call /user. Scopes are set at the OAuth consumer; verify path and scope are unverified. Third party: access tokens last 2 hours.",
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
            pkce: Pkce::Unknown,
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
            "A refresh token works once, within 60 days. Scopes are set at the app; the parameter only narrows them. Neither the spec nor the guides speak of PKCE. Large uploads name a host in the answer.",
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
            description: "REST instance, e.g. iad-05.braze.com, fra-01.braze.eu",
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
            "No call suits every key: rights are given endpoint by endpoint and a key without one gets 401 or 403. GET /campaigns/list?page=0 is usual where campaigns.list is granted. Right key on the wrong cluster: 401. Clusters now include us-10.braze.com, fra-02.braze.eu and au-01.braze.com, all within the pattern. Keys can have an IP allow list.",
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
            "Calls from addresses outside the account's allow list get 401 as well (unverified). partner-key is another header, for partner accounts.",
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
            "The token endpoint takes client_id in the body, form or JSON. cal-api-version differs by endpoint family (bookings, slots, event types each have their own date), so a default may be wrong elsewhere: a caller may send its own. Platform managed users are deprecated.",
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
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-refresh-token.md",
            "https://developer.calendly.com/creating-an-oauth-app",
            "https://developer.calendly.com/docs/authentication/scopes",
            "https://docs.unified.to/skills/calendly-oauth-app/SKILL.md",
        ],
        note: Some(
            "Web clients send id and secret by Basic; in the body only native clients put client_id. PKCE with S256 is asked for from all apps. Scopes exist since 2026-03-03: a new app or new token may do nothing without them (date from a third party; the vendor's catalog has DOMAIN:read and DOMAIN:write, write includes read). users:read for /users/me follows that pattern. Refresh tokens are single use and don't expire until used; 8 tokens per user and minute.",
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
            description: "site name; test sites end in -test",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "api-evangelist/chargebee:authentication/chargebee-authentication.yml",
        ],
        note: Some("Some keys are write-only or restricted: 403 there doesn't mean a bad key."),
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
            "The vendor's guide shows the token in Authorization: Bearer first, Circle-Token second. Project tokens aren't for v2. Where both header families come, the lower limit holds.",
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
            "A personal token goes bare in Authorization and never ends; OAuth tokens don't expire today (third party). No scopes: the user picks workspaces. v2 and v3 paths live side by side under /api.",
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
            "The vendor writes both OAuth URLs with a trailing slash; a POST to the bare path would be redirected and lose its body. No scope needs to be requested (third party).",
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
        fields: &[FieldFacts {
            name: "token",
            title: "API token",
            is_secret: true,
        }],
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
            "user/tokens/verify answers only for user-owned tokens; account-owned ones need GET /accounts/{account_id}/tokens/verify. The answer's status can be disabled or expired. The global key (X-Auth-Email and X-Auth-Key together) is legacy but still in the vendor's client; X-Auth-User-Service-Key is for origin CA.",
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
        note: Some("POST /v1/check-api-key exists as well. The listing documents 401 and 403."),
        ..Facts::EMPTY
    },
    Facts {
        name: "confluence",
        title: "Confluence Cloud",
        category: "knowledge",
        base_url: "https://api.atlassian.com/ex/confluence/{cloud_id}",
        variables: &[VariableFacts {
            name: "cloud_id",
            description: "site's cloud id",
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
                title: "E-mail of the Atlassian account",
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
            "The authorization URL in Atlassian's page carries audience and prompt. No refresh token without offline_access. Tokens work only on api.atlassian.com/ex/confluence/{cloud_id}; the site's own host answers 401. cloud_id comes from GET https://api.atlassian.com/oauth/token/accessible-resources. v1 (/wiki/rest/api) takes classic scopes, v2 (/wiki/api/v2) granular ones. Email and API token (basic) work on {site}.atlassian.net/wiki and, for tokens with scopes, on this base URL; API tokens expire within a year.",
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
            "Delivery and preview keys are other credentials and work only on cdn. and preview.; a management token works only on api. and upload. EU residency customers have *.eu hosts throughout (api.eu, cdn.eu; also preview.eu and upload.eu), and tokens don't cross. OAuth URLs and scope names are from third parties.",
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
                title: "E-mail of the user who made the key",
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
            "Only an admin can make a key. OAuth exists, the client comes from Copper by request. GET /account may serve to verify a key (unverified).",
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
            description: "Datadog site",
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
            "/v1/validate and /v2/validate check the API key alone; /v2/validate_keys checks both keys. Log intake is another host (http-intake.logs.{site}) with the API key only.",
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
        fields: &[FieldFacts {
            name: "token",
            title: "API token (organization or personal)",
            is_secret: true,
        }],
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
            "With an OAuth token the client's id goes along with each call (header name unverified; the overview only says that id and token go together). Token kinds differ in what they may call: /v2/people/me may refuse an organization token. Sandbox signs in at app.demo.deel.com (older: demo.letsdeel.com), API at api-sandbox.demo.deel.com. API versions are dated now (2026-01-01).",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/deepseek:openapi/_original/deepseek-lists-models-api-openapi.yml",
            "api-evangelist/deepseek:openapi/_original/deepseek-user-balance-api-openapi.yml",
        ],
        note: Some("GET /models works too. Beta features hang under /beta."),
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
            "users/me only with user-level keys; company keys can use GET /offices or, as admin, GET /company. The vendor's spec shows a JSON body at the token endpoint, with client id and secret in it. `scope` names additional scopes only; the key may also go as ?apikey=.",
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
            "Custom-scoped tokens need account:read for `verify`, else 403. OAuth URLs are from third parties. Inference and Spaces use other hosts and keys.",
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
            pkce: Pkce::Unknown,
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
        ],
        note: Some(
            "A User-Agent of the form DiscordBot (url, version) is what the reference gives for clients; others may be blocked (unverified). /oauth2/@me works with any OAuth token whatever its scopes (not with a bot token); /users/@me works for bots and for OAuth with identify. Token URL without version in the path is what the page gives. Client credentials in Basic or in the body.",
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
                description: "id of the account, from /oauth/userinfo",
                pattern: "^[0-9a-f-]+$",
                default: None,
            },
            VariableFacts {
                name: "host",
                description: "account's host, from base_uri of /oauth/userinfo: na3, eu, demo, ...",
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
            "signature alone gives a refresh token for about 30 days in all; add `extended` so that each refresh starts a new full term. There is no account-free call on the REST host: account_id and base_uri come from GET https://account.docusign.com/oauth/userinfo, which would be the better check but is another host. Demo (developer) accounts use account-d.docusign.com for both OAuth URLs: host = demo doesn't work with the production login. PKCE since 2023; a public grant without secret exists.",
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
            "All routes are POST, so no GET to verify: POST /check/user with {\"query\":\"x\"} or POST /users/get_current_account with body null; both want account_info.read. A team token needs Dropbox-API-Select-User. token_access_type=offline is right.",
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
                description: "environment's unique name",
                pattern: "^[a-z0-9-]+$",
                default: None,
            },
            VariableFacts {
                name: "region",
                description: "crm, crm2, crm4, ...",
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
            "Samples use ORG.api.REGION.dynamics.com. The scope names the environment itself, so it's a template (spelling of the scope unverified); a Graph scope gives a token that Dataverse refuses. No refresh token without offline_access. Sovereign clouds have other suffixes and other login hosts.",
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
            "redirect_uri is eBay's RuName, not a URL: a client that sends its callback URL fails. A refresh may name the scopes, no more than granted. Sandbox is auth.sandbox.ebay.com with api.sandbox.ebay.com. No GET suits every token: each API wants its own scope (GET /sell/account/v1/privilege with sell.account.readonly is a cheap one; unverified). Some APIs live on apiz.ebay.com.",
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
            description: "account's subdomain",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "https://stat.ethz.ch/CRAN/web/packages/egnyte/vignettes/authorization.html",
        ],
        note: Some(
            "The same URL serves authorize (GET) and token (POST). userinfo and the scope's name are unverified. New keys start with low quotas.",
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
            "Keys may be limited to single endpoints, so no GET suits all; the authentication page tests with /models, /user is stricter. Residency keys work only on their own host.",
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
            "PKCE is required. Access tokens start with the user's numeric id and a dot; keep that prefix. x-api-key goes along with every call; whether it must be keystring alone or keystring:secret is unverified (this entry sends both). GET /application/openapi-ping checks only the app's key; a user call such as GET /application/users/me would check the token (unverified).",
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
            description: "country site",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "NangoHQ/nango:docs/integrations/all/exact-online.mdx",
        ],
        note: Some(
            "Access tokens last 10 minutes and a refresh is refused until the last 30 seconds: an early-refresh margin above 30 s makes EVERY refresh fail, so the margin must be at most 30 s. Answers are XML unless Accept: application/json. The verify path is unverified; it gives the division that nearly every path holds.",
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
            scopes: &["read"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://apidoc.factorialhr.com/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://pypi.org/project/factorial-api-client/ (vendor's own client)",
            "https://docs.serval.com/sections/integrations/factorial",
            "NangoHQ/nango:docs/integrations/all/factorial.mdx",
        ],
        note: Some(
            "API versions are dated, one per quarter, and sit in the path after /api. That PKCE is unsupported is from a third party. An API key has full admin rights in the company.",
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
            "files:read is deprecated: ask for file_content:read, file_metadata:read and so on. /v1/me documents 403 (not 401) for a bad token. Variables and activity logs are for Enterprise only. refresh_url is a separate path.",
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
            "/users/me needs the profile scope of the app (unverified) and gives account_id and business_id, which nearly every other path holds: read it after consent. An older example of the vendor authorizes at my.freshbooks.com/service/auth/oauth/authorize; the client itself uses auth.freshbooks.com.",
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
            description: "account's subdomain",
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
        verify: Some("/settings/helpdesk"),
        rate_limit_headers: &[
            "X-RateLimit-Total",
            "X-RateLimit-Remaining",
            "X-RateLimit-Used-CurrentRequest",
            "Retry-After",
        ],
        docs: "https://developers.freshdesk.com/api/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "https://developer.freshdesk.com/api/v1 (vendor, v1 only)",
            "https://unifyapps.com/docs/unify-integrations/freshdesk",
        ],
        note: Some(
            "/agents/me may serve to verify a key as well. A custom helpdesk domain also serves the API.",
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
            description: "bundle alias of the account",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "api-evangelist/freshsales:authentication/freshsales-authentication.yml",
        ],
        note: Some(
            "Accounts without leads may answer 404: then GET /settings/contacts/fields. Older accounts live on {name}.freshsales.io/api.",
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
            description: "account's subdomain",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &["NangoHQ/nango:packages/providers/providers.yaml"],
        note: Some(
            "Password login is gone: the key is the username, the password is any text. Requesters' keys get 403 on agents' calls.",
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
            "/me describes the token itself, so any token may call it. The OAuth URLs are from a third party: access tokens last an hour, no scopes needed. How the client authenticates at the token URL is unknown. Some companies are on COMPANY.api.frontapp.com, which the spec doesn't list (unverified).",
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
            "PKCE with S256 since 2025-07-14, recommended for OAuth and GitHub Apps. Without expiring tokens there is simply no refresh token, so `rotating` is safe as default. In 2026 OAuth apps too got 8-hour tokens with a refresh token, by app setting or by the scope offline_access; a refresh kills both old tokens (GitHub Apps: the same, refresh token 6 months). The token endpoint answers form-encoded unless Accept: application/json is sent. /rate_limit works for users', apps' and installations' tokens and costs nothing; a bad token gets 401, but NO token gets 200. /user is the alternative where only user tokens occur.",
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
            title: "Personal, group or project access token",
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
            "PKCE is recommended for server apps too. Access tokens last 2 hours; that refresh tokens rotate is unverified. Self-managed and Dedicated have the same paths on another host: add an integration of your own for it. A token without api, read_api or read_user (e.g. read_repository only) is refused at /v4/user: /v4/personal_access_tokens/self is the fallback for access tokens (unverified).",
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
            "profile takes mail.google.com, gmail.modify, gmail.compose, gmail.readonly or gmail.metadata; a token with gmail.send or gmail.labels alone gets 403 there. readonly and metadata are restricted scopes (yearly security assessment for public apps). Refresh tokens of apps in Testing status die after 7 days (unverified). Uploads go to the same host under /upload. PKCE isn't required.",
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
            "GoCardless-Version is required and still 2015-07-06. Partners have OAuth at connect.gocardless.com (long-lived tokens) (unverified). Bank account data is another API.",
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
            description: "host of api_base_url_for_customer in the token answer; api.gong.io for key and secret",
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
            "Authorization is for the whole company, by a tech admin. A customer's token works only on the host named in api_base_url_for_customer. Keys can have an expiry and an IP allow list (403). Only Retry-After, no budget headers. MCP tokens are separate and don't work here.",
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
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://googleapis.dev/dotnet/Google.Apis.Calendar.v3/latest/api/Google.Apis.Calendar.v3.CalendarService.ScopeConstants.html",
            "https://developers.google.com/identity/openid-connect/reference",
            "NangoHQ/nango: post-connection hook (verify path)",
        ],
        note: Some(
            "A token with only calendar.events can't read the calendar list: verify then with /calendars/primary/events?maxResults=1. Narrower scopes exist: calendar.calendarlist.readonly, calendar.events.readonly.",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &["NangoHQ/nango:packages/providers/providers.yaml"],
        note: Some("As google-sheets: no GET without a document id."),
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
            "about.get answers 400 without `fields`. drive.file is the narrow scope; the vendor says that some of the others need a security assessment (drive, drive.readonly, drive.metadata* unverified). Discovery lists S256 and client_secret_post and _basic. A refresh answer brings no new refresh token as a rule. Uploads: /upload/drive/v3 on the same host.",
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
            title: "Gemini API key",
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
            "Google is moving from standard keys to auth keys (bound to a service account): unrestricted standard keys are rejected since 2026-06-19, new keys from AI Studio are auth keys. Both go into x-goog-api-key; the key in the query leaks into logs. A bad key is commonly answered with 400 (API_KEY_INVALID), not 401 (unverified), so count 400 with that reason as bad. Regional and Vertex hosts ({location}-aiplatform.googleapis.com) are another API with OAuth.",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "googleapis/google-api-python-client:googleapiclient/discovery_cache/documents/sheets.v4.json (not read)",
        ],
        note: Some(
            "No GET without a spreadsheet id, hence no verify on this host. With openid in the scopes, https://openidconnect.googleapis.com/v1/userinfo checks any Google token; or take the refresh itself as the check. drive.file is the non-sensitive scope for files the app made or the user picked.",
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
            description: "account's subdomain",
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
                title: "E-mail of the user",
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
            "No refresh token without the scope `offline` (not offline_access). Access tokens last 24 hours, refresh tokens don't end. write:all is the old catch-all scope.",
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
            "Harvest v1 and v2 with API keys ended 2026-08-31: v3 with OAuth is the only way. Two kinds: partner authorization code (client issued by hand after a signed partnership) and a customer's own client_credentials (token_url https://auth.greenhouse.io/token, basic, optional body parameter sub = user id). Scopes are harvest:RESOURCE:ACTION and fixed at issue; no endpoint is open to every token, so verify needs harvest:users:list.",
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
            "Pin X-Gusto-API-Version (the vendor's client for app integrations sends it with every call; 2025-06-15 and 2026-06-15 exist). Sandbox api.gusto-demo.com has its own /oauth/authorize and /oauth/token. Scopes are given to the app by Gusto, not asked for in the URL.",
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
            "The vendor documents two flows: authorization code for others' accounts, client credentials for one's own (no refresh token then). Token calls take JSON, form or query. The credential's user must be active, else 401. Access token 2 days (third party). Whether a refresh replaces the refresh token is unverified: store whatever comes. Docs API is another host with basic auth.",
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
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://apidocs.hibob.com/reference/authorization.md",
            "https://apidocs.hibob.com/reference/rate-limiting.md",
            "NangoHQ/nango:packages/providers/providers.yaml (verify)",
        ],
        note: Some(
            "Approved Marketplace partners are sent to OAuth 2.0 instead (apidocs.hibob.com/reference/oauth-20). A firewall blocks callers after repeated 401/403, so don't poll verify with a dead credential. A service user without permission gets 200 with fields left out (third party).",
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
            title: "Private app or service key access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://app.hubspot.com/oauth/authorize"),
            token_url: Some("https://api.hubapi.com/oauth/2026-03/token"),
            scope_separator: " ",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::Static,
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
            "The dated spelling of the verify path, /account-info/2026-03/details, is described too; both need only the scope `oauth`, which every app has. The token endpoint takes code_verifier, so PKCE is supported, and takes everything in the body. v1 of the OAuth API is deprecated on 2027-02-16; /oauth/2026-09/token already exists. Daily rate headers don't come with OAuth calls (no daily limit there). Access tokens last 30 minutes. Regional api-eu1/api-na1 hosts aren't in the vendor's specification, which lists only api.hubapi.com: they are unverified.",
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
            "Without Intercom-Version the answer's shape follows the app's setting: pin it (2.15 and 2.16 are described). Scopes are set in the app, not asked for. EU and AU workspaces: api.eu/api.au.intercom.io for API and token, app.eu/app.au.intercom.com for authorize (third party); a call to the wrong region fails.",
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
            title: "Server-side API key",
            is_secret: true,
        }],
        verify: Some("/channels"),
        docs: "https://api.iterable.com/api/docs",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://raw.githubusercontent.com/api-evangelist/iterable/refs/heads/main/conformance/iterable-conformance.yml (quotes the vendor's Swagger)",
            "https://docs.workato.com/ja/developing-connectors/sdk/guides/authentication/api-key.html",
        ],
        note: Some(
            "No OAuth. JWT-enabled keys are for clients and need a signed token per user. Projects in the EU data centre answer only on their own host (api.eu.iterable.com; unverified).",
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
        note: Some("The key stands in the query (apikey): keep it out of logs."),
        ..Facts::EMPTY
    },
    Facts {
        name: "jira",
        title: "Jira Cloud (OAuth)",
        category: "ticketing",
        base_url: "https://api.atlassian.com/ex/jira/{cloud_id}",
        variables: &[VariableFacts {
            name: "cloud_id",
            description: "site's cloud id, from /oauth/token/accessible-resources",
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
            "Without audience=api.atlassian.com and prompt=consent the authorize call fails or brings no consent; without offline_access there's no refresh token. /myself needs read:jira-user. A 3LO token is refused (401) at SITE.atlassian.net: only the gateway takes it. Government cloud has other hosts.",
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
            description: "site's subdomain",
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
                title: "Atlassian account e-mail",
                is_secret: false,
            },
            FieldFacts {
                name: "api_token",
                title: "API token",
                is_secret: true,
            },
            FieldFacts {
                name: "subdomain",
                title: "Site (SUBDOMAIN.atlassian.net)",
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
            "API tokens with scopes work only at https://api.atlassian.com/ex/jira/{cloud_id}, with basic authentication as well. At the site host such a token gets 401. Every API token expires after 1 day to 1 year (default a year; old ones ended by 2026-05-12). Atlassian forbids a distributed app to collect users' API tokens (its security requirements for cloud apps).",
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
        sources: &["NangoHQ/nango:packages/providers/providers.yaml"],
        note: Some(
            "Whether a bad key gets 401 or 200 with an error in the body isn't known. Staging has its own host.",
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
            "Klaviyo lists every 2024 revision as retired since October 2026 (calls get 410 or fall forward to a breaking revision), 2025 ones as deprecated; 2026-10-15 is the newest. A revision lives two years, so the pin needs a yearly bump. PKCE S256 is required for confidential clients too. Access token 1 hour; the refresh token dies after 90 days without use (third-party page). Keys are scoped, so accounts:read must be on the key for `verify`.",
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
            description: "organisation's name",
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
            "The vendor now lists OAuth 2.0 beside API keys, whose URLs are unknown. Keys carry roles (org.user.read and so on) and may expire.",
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
            "The sandbox isn't just another API host: it signs in at https://sandbox-lever.auth0.com/authorize and /oauth/token with audience https://api.sandbox.lever.co/v1/, and its tokens don't work in production. Scopes are RESOURCE:ACTION:admin, e.g. applications:read:admin; without offline_access no refresh token. The user consents again after 1 year, or 90 days without use. Clients are issued by Lever to partners. A key's endpoints are chosen one by one, so verify needs one that is on (for example /users?limit=1).",
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
            "GraphQL only: no GET to verify; POST /graphql {\"query\":\"{ viewer { id } }\"} is the usual check. All OAuth apps moved to refresh tokens on 2026-04-01. Unverified: a rate-limited call answers 400 with code RATELIMITED, not 429. X-RateLimit-Complexity-Reset exists as well. Some third-party clients use PKCE. A personal key goes without `Bearer`.",
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
            "Refresh tokens only for approved marketing partners: others get a 60 day access token and must ask the user again, so `refresh` may be `none`. A refresh doesn't renew the refresh token's 365 days: it ends a year after consent. userinfo needs openid. Paths under /rest need LinkedIn-Version: YYYYMM (a version lives about a year), so the host app must send it; /v2 doesn't.",
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
            description: "data centre, from the token metadata or the key's suffix",
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
                title: "Data centre (the key's suffix)",
                is_secret: false,
            },
        ],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://login.mailchimp.com/oauth2/authorize"),
            token_url: Some("https://login.mailchimp.com/oauth2/token"),
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/ping"),
        docs: "https://mailchimp.com/developer/marketing/api/",
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://docs.unified.to/skills/mailchimp-oauth-app/SKILL.md",
            "requests/requests-oauthlib#169",
            "NangoHQ/nango:docs/integrations/all/mailchimp.mdx",
        ],
        note: Some(
            "No scopes at all. The token answer says expires_in = 0 and scope = null: 0 means never. GET https://login.mailchimp.com/oauth2/metadata with `Authorization: OAuth TOKEN` gives dc: a call after consent is needed before the base URL is known. A wrong dc gives 404 or 403, not 401. The verify path is unverified.",
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
            "A domain's sending key can't list domains and fails this check though valid. Region is the account's: a US key gets 401 at api.eu. Stored messages are at storage-*.api.mailgun.net hosts named in answers.",
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
            description: "Munchkin account id",
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
                title: "Client ID of the custom service",
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
            "usage.json needs no permission, by the vendor's own spec. access_token as a query or form parameter is gone since 2026-03-31: header only. Tokens live 1 hour and a new request returns the same one with its remaining life. Most errors come with HTTP 200, success false and code 601 (invalid) or 602 (expired) (unverified), so read the body. Token calls aren't counted against the limit.",
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
            title: "System user or page access token",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://www.facebook.com/v25.0/dialog/oauth"),
            token_url: Some("https://graph.facebook.com/v25.0/oauth/access_token"),
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Body,
            rotation: Rotation::None,
            scopes: &["public_profile"],
            pkce: Pkce::Unknown,
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
        ],
        note: Some(
            "v22.0 ends 2027-05-20; v25.0 (2026-02-18) lasts to 2028-07-29, v26.0 came 2026-07-29 and another on 2026-11-04. Versioned calls to an ended version fall forward to the oldest live one. An invalid token is commonly answered with 400 and error code 190, not 401 (unverified): read the body. Long-lived tokens (about 60 days) come from grant_type=fb_exchange_token, no refresh token. Instagram login has hosts of its own: www.instagram.com/oauth/authorize, api.instagram.com, graph.instagram.com.",
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
            "PKCE with S256 is recommended for confidential clients too. No refresh token without offline_access. /me is for delegated tokens: an app-only token gets an error there (/v1.0/organization serves, with a permission), and /v1.0/$metadata is open to all. With `common` a guest or single-tenant app fails: use an integration of your own with the tenant in its URLs. A token request with an Origin header is refused for a web client. A new refresh token comes with each refresh, the old one isn't revoked at once (unverified): store the newest. National clouds (US Government, China) have other hosts for both login and Graph. RateLimit-* headers are unverified; Retry-After is certain.",
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
        note: Some("The regional hosts are documented for regional inference."),
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
            "Query calls need ?project_id= with a service account. 60 queries an hour, 5 at once. EU and India projects answer only on eu. and in.; the specs also list a bearer token.",
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
            "API keys may not call /permissions or /organizations/me, OAuth tokens not /profiles/me; /methods takes all kinds, OAuth with payments.read. /permissions needs no scope and is the best check for OAuth.",
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
            "All new apps use OAuth 2.1 and can't turn it off: PKCE, tokens that expire, refresh tokens, a new token URL. Legacy apps keep https://auth.monday.com/oauth2/token and endless tokens, but API version 2027-04 and later answer those with 401 OAUTH21_TOKEN_REQUIRED: pin API-Version to a dated version. Rotation of refresh tokens is unverified: store a new one if one comes. GraphQL only: no GET to verify, POST {\"query\":\"{ me { id } }\"} (me:read unverified). An admin has to install the app in the account first.",
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
                description: "account id in host form: 1234567 or 1234567-sb1",
                pattern: "^[a-z0-9]+(-[a-z0-9]+)?$",
                default: None,
            },
            VariableFacts {
                name: "realm",
                description: "account id in signature form: 1234567 or 1234567_SB1",
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
            scopes: &["rest_webservices"],
            pkce: Pkce::Unknown,
            ..OAuth2Facts::EMPTY
        }),
        docs: "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_4247329078.html",
            "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_157769826287.html",
            "https://www.apideck.com/blog/netsuite-tba-to-oauth-2-migration.md (quotes section_158921905537 of the vendor's help)",
            "NangoHQ/nango:packages/providers/providers.yaml (OAuth URLs)",
        ],
        note: Some(
            "From release 2027.1 no new integration can use token-based authentication; support ends with 2028.2 (tentative). The vendor says: OAuth 2.0 for all new integrations, so it should be the first scheme and needs its URLs. OAuth covers REST and RESTlets (scope restlets), not SOAP. token_auth not confirmed (Basic in common use).",
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
            pkce: Pkce::Unknown,
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
            "Capabilities are set in the integration's settings, not by scopes. owner=user is usual; the token call takes JSON with HTTP basic. Newest version 2026-03-11; the vendor's SDK v5 defaults to 2025-09-03 and takes nothing older than that; 2022-06-28 predates data sources (a database may hold several). Token answers carry refresh_token. The admin API (/admin/v1) is versioned apart (2026-06-01).",
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
            description: "org's host",
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
            "oauth2 stands in `also` without URLs: the org authorization server's are in the vendor's OpenAPI. Management scopes (okta.*) only from the org server, not from a custom one. API tokens lapse after 30 days without use and may be bound to network zones.",
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
            "Same OAuth as microsoft-graph. A base that ends in /me/drive bars shared drives (/drives/{id}, /sites/...): the entry microsoft-graph has the wider base URL. Content is served by pre-signed URLs on other hosts, to be called without the credential. Scope unverified.",
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
            "Admin keys are another kind (only for /organization/...), and a restricted project key may lack the right to list models: 403 there still means a valid key. Optional headers OpenAI-Organization and OpenAI-Project. mtls.api.openai.com is the host for client certificates. The regional hosts are unverified.",
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
            "/models is public and tells nothing about the key; /key documents 401. /credits needs a management key. A PKCE flow (https://openrouter.ai/auth, callback_url, code exchanged at POST /auth/keys) yields a key, but isn't OAuth 2.0. Optional: HTTP-Referer, X-OpenRouter-Title. Regional hosts are for enterprise customers.",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/outreach:authentication/outreach-authentication.yml",
            "api-evangelist/outreach:openapi/_original/outreach-openapi.json (the vendor's file)",
            "api-evangelist/outreach:rate-limits/outreach-rate-limits.yml",
        ],
        note: Some(
            "Access token 2 hours, refresh token 14 days, at most 100 live refresh tokens; one token per user and app in 60 seconds, else 429: parallel refreshes hurt. Scopes aren't additive (write gives no read). 403 unauthorizedOauthScope = valid token without the scope. PKCE is documented only for the MCP server. Content-Type application/vnd.api+json on a GET without body is harmless.",
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
            "The SDK always sends Paddle-Version: 1. Keys carry permissions and expire; sandbox keys work only on sandbox-api.paddle.com. Whether /event-types is open to every key is unverified.",
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
        verify: Some("/abilities"),
        rate_limit_headers: &["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
        docs: "https://developer.pagerduty.com/api-reference/",
        confidence: Confidence::Checked,
        base_url_confidence: Confidence::Checked,
        checked: "2026-11-29",
        sources: &[
            "PagerDuty/api-schema:reference/REST/openapiv3.json",
            "https://docs.cloud.google.com/gemini/enterprise/docs/connectors/pagerduty/pagerduty-configuration",
        ],
        note: Some(
            "/users/me works only for user keys and user tokens (400 for account keys); /abilities documents 401 and 403 and takes both. For OAuth 2.0, third parties use https://app.pagerduty.com/oauth/authorize and /oauth/token, newer (scoped) apps identity.pagerduty.com (unverified). OAuth tokens go as Bearer, not `Token token=`. Events API (events.pagerduty.com) takes a routing key in the body. Writes need a From header with account keys (unverified).",
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
            "verify needs the webhooks scope, which REST apps normally have. Sandbox tokens come from api-m.sandbox.paypal.com: a token of one host fails on the other, so sandbox needs its own token URL. No scopes at the token call: they follow the app's features.",
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
        note: Some(
            "The list of asynchronous jobs is the only cheap GET in the vendor's SDK; there is no models listing there.",
        ),
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
            "v1 has its own login, POST /v1/auth (JSON or form), a token of 24 hours, 60 logins per minute; v2 is client_credentials in a form. A v2 token without the resource's scope gets 403 `Insufficient access scope`, so no path is open to all. X-Personio-Partner-ID and X-Personio-App-ID are described headers for partners. GET /v2/persons?limit=1 verifies a client with the persons scope.",
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
            description: "company domain, from api_domain of the token answer",
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
                title: "Company domain",
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
            "Scopes are fixed in the app's registration; the authorize call takes only client_id, redirect_uri and state, `base` is always there. The status page says that a refresh token is invalid once it was exchanged: store the new one, treat as rotating. api_domain in the token answer is https://COMPANY.pipedrive.com. api.pipedrive.com/v1 and /api/v2 work with the token in x-api-token.",
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
            "Account-level paths (servers, domains, sender signatures) take X-Postmark-Account-Token instead, which this entry doesn't send.",
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
            description: "numeric company id, from realmId of the callback URL",
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
            "realmId comes as a query parameter of the redirect, not in the token answer: a callback that keeps only code and state loses it. Refresh tokens now end after 5 years whatever their use (and after 100 days without use); send x-include-refresh-token-hard-expires-in: true at the token URL to learn when. PKCE isn't in the vendor's client. Sandbox: same OAuth URLs.",
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
            description: "numeric id of the company",
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
            "The Careers Site API (host COMPANY.recruitee.com/api, header X-Careers-Sites-Token, required from 2027-02-10) is another API. A personal token has its user's rights.",
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
            "The Accept header with the version is required. EU sites answer only on v3.eu.recurly.com.",
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
            "OAuth is new: PKCE with S256 is required, access token 15 minutes, refresh token 60 days and replaced at every use with reuse detection. Scopes: emails:send (sending only) or full_access (needed for `verify`). Keys limited to sending may not list anything (401 restricted_api_key (unverified)), so read the error's name before calling a key bad.",
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
            "Scopes are set on the app, not asked for. A refresh kills the old access token at once; the old refresh token stays good until the new access token is first used (up to 60 minutes), then about ten seconds. For client-side apps no Authorization header at the token endpoint. The X-Rate-Limit headers come only for user-level limits.",
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
            "A token is made for one API version and one set of permissions, so no path is open to every token. Calls without a User-Agent may be refused (third party). The older platform API lives at api.rippling.com and has OAuth for partners.",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "NangoHQ/nango:docs/integrations/all/sage.mdx",
        ],
        note: Some(
            "Scopes are readonly or full_access. Third parties send filter=apiv3.1 as a parameter of the authorization request.",
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
            description: "company's subdomain",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "api-evangelist/sage-hr:authentication/sage-hr-authentication.yml",
            "NangoHQ/nango:packages/providers/providers.yaml",
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
            description: "My Domain name, from instance_url of the token answer; sandboxes: name--sandbox.sandbox",
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
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://help.salesforce.com/HTViewHelpDoc?id=remoteaccess_oauth_web_server_flow.htm",
            "https://help.salesforce.com/apex/HTViewHelpDoc?id=remoteaccess_oauth_refresh_token_flow.htm",
            "https://developer.salesforce.com/docs/platform/isvforce/guide/secure-code-ac-eca.md",
            "https://login.salesforce.com/.well-known/openid-configuration",
            "https://help.salesforce.com/HTViewHelpDoc?id=remoteaccess_using_userinfo_endpoint.htm",
        ],
        note: Some(
            "Partner apps must turn PKCE on (it can't be turned off again) and are asked to rotate refresh tokens; an app with rotation on kills the old refresh token at each refresh, so treat it as rotating. Since Spring '26 no new connected apps: External Client Apps. Sandboxes authorize at test.salesforce.com or at the My Domain host, which also serves /services/oauth2/authorize and /token. userinfo answers a bad token with 403 Bad_OAuth_Token; /services/data is open to anyone and proves nothing. If userinfo is refused for want of an identity scope, add `id`. Rate header isn't on every answer.",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://raw.githubusercontent.com/api-evangelist/salesloft/refs/heads/main/conformance/salesloft-conformance.yml (cites developers.salesloft.com and the live discovery document)",
            "NangoHQ/nango:packages/providers/providers.yaml",
        ],
        note: Some(
            "Discovery: https://accounts.salesloft.com/.well-known/openid-configuration. Client credentials exist too (HTTP basic, space-delimited scopes). /me is unverified. Scopes are set on the app.",
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
            "GET /v3/scopes lists the key's own scopes, so any key may call it. Not every path exists in the EU (32 specs name api.eu, 55 the global host).",
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
            "The vendor says that listing one's organizations takes a user token, so the token of an internal integration may be refused there though valid: then verify with /organizations/{slug}/projects/. Legacy API keys: basic, key as user.",
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
            description: "instance name",
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
                title: "User name",
                is_secret: false,
            },
            FieldFacts {
                name: "password",
                title: "Password",
                is_secret: true,
            },
            FieldFacts {
                name: "instance",
                title: "Instance",
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
            "Government and self-hosted instances have other domains, which need an integration of your own. Which tables a user may read is up to roles, so no table is open to all; usual is /api/now/table/sys_user?sysparm_limit=1&sysparm_fields=sys_id. The vendor's client also takes client_credentials.",
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
            description: "shop's name",
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
            "Without expiring=1 at the code exchange no refresh token comes. Public apps made since 2026-04-01 must use expiring tokens and from 2027-01-01 Shopify rejects non-expiring ones of public apps (custom apps exempt). Access token 1 hour, refresh token replaced at each use; since 2026-08-28 the last one stays usable until the replacement is used. The exchange goes to {shop}.myshopify.com with client id and secret in the body (the vendor's library sends JSON). Versions are quarterly (2026-10 is the newest the library knows) and live about a year; REST is legacy, GraphQL (POST) is what new public apps must use, so `verify` over REST may not last. /admin/oauth/access_scopes.json would suit any token but lies outside the base path. Scopes depend on the app: the default is only an example.",
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
            title: "Bot or user token (xoxb-, xoxp-)",
            is_secret: true,
        }],
        oauth2: Some(OAuth2Facts {
            authorize_url: Some("https://slack.com/oauth/v2/authorize"),
            token_url: Some("https://slack.com/api/oauth.v2.access"),
            scope_separator: ",",
            client_auth: TokenEndpointAuth::Basic,
            rotation: Rotation::Rotating,
            scopes: &["users:read"],
            pkce: Pkce::Unsupported,
            ..OAuth2Facts::EMPTY
        }),
        verify: Some("/auth.test"),
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
            "auth.test answers a bad token with HTTP 200 and {\"ok\":false,\"error\":\"invalid_auth\"}: a status check alone passes everything, the body's ok must be read (the same for every Web API method, so a 401-driven refresh never fires: token_expired comes in the body). It's documented as POST; third-party clients call it by GET. PKCE is general since 2026-03-30, but turning it on makes the app a public client for good and ends refresh tokens after 30 days: leave it off for a server app. Rotation is an option of the app: off = a token without end and no refresh token; on = 12 hours. The vendor prefers Basic at the token URL, the body works too. A user token is in authed_user.access_token, user scopes go in user_scope.",
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
        ],
        note: Some(
            "The authorization code flow is deprecated (third party); a customer makes an OAuth client id for client_credentials in the Credential Manager, with scopes and a system role. An API key has every scope. The token URL is unknown.",
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
                description: "host of the region's sign-in page",
                pattern: r"^app\.(smartsheet\.com|smartsheet\.eu|smartsheet\.au|smartsheetgov\.com)$",
                default: None,
            },
            VariableFacts {
                name: "host",
                description: "region's API host",
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
            "Tokens of one region don't work in another. The SDK exchanges codes with a hash or the secret in the body.",
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
            "Without Square-Version, the application's own version counts. PKCE: the verifier replaces the client secret, and the refresh token is then single-use; in the code flow it stays. Sandbox has its own authorize and token URLs on connect.squareupsandbox.com. Access tokens last 30 days.",
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
            "Restricted keys are made per resource, so no GET suits every one: 401 = bad key, 403 = good key without that permission; treat 403 as valid. The vendor's SDK also knows connect.stripe.com (OAuth) and meter-events.stripe.com (own session tokens). Stripe-Version is pinned per account when the header is absent; Stripe-Account picks a connected account. Connect OAuth takes the secret key as bearer or in the body, not as HTTP basic with the client id. The key may also be the user name of basic authentication.",
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
            title: "Access token of a private app",
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
            "The account's data centre decides the host: access_url in the token answer, so it ought to be a variable. Scopes are set in the app, and users can only accept all. Tokens don't expire today. The copy is from 2021.",
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
        confidence: Confidence::Documented,
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "NangoHQ/nango:packages/providers/providers.yaml",
            "https://docs.airbyte.com/integrations/sources/teamtailor",
            "https://docs.unified.to/integrations/teamtailor.md",
        ],
        note: Some(
            "Two data regions (EU, US West) with a host each: use an integration of your own for the other region. X-Api-Version is required. A public-scope key can't call /users.",
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
                title: "Token",
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
            "All /1/members/ paths are limited to 100 calls per 900 s: don't verify often. Rate limits aren't reported in documented headers (those of this entry are unverified); the 429 body says API_KEY_LIMIT_EXCEEDED or API_TOKEN_LIMIT_EXCEEDED. Besides OAuth 1.0 there's https://trello.com/1/authorize, which returns the token in the URL fragment. The key is public by the vendor's word.",
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
            "API keys (SK... + secret) are a second pair for basic and the vendor's advice; then {account_sid} in paths isn't the user name, so keep them apart, and a standard key can't read /Accounts (unverified). The hosts are those of the vendor's specifications (2026-04).",
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
            title: "Personal token (tfp_...)",
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
            "No refresh token without the offline scope. The new EU data centre (api.typeform.eu) has its own authorization server and its own client registration: authorize and token URL must follow the host. OAuth details are third-party.",
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
            "GraphQL only: no GET; a POST of `query { user { id } }` to /graphql/public is the usual check. Scope names and the behavior of refresh tokens are unverified.",
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
            pkce: Pkce::Unknown,
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
        ],
        note: Some(
            "Authorize and token URLs and the scope come from third parties. Personal tokens from the developer site last 12 hours; access token 14 days, refresh token 90 days, renewed at each refresh (unverified). Contact centre has hosts of its own.",
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
            title: "Site API token",
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
            "introspect takes tokens of apps; for site tokens use GET /sites (sites:read). No refresh token is issued. Some third-party lists give /oauth/token: the vendor's own SDK uses /oauth/access_token. The SDK also reads X-RateLimit-Reset.",
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
            description: "host of the shop: any public host, so it must come from the connection, never from a caller",
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
            "Keys are read, write or both: a write-only key fails a GET. Some servers drop the Authorization header; then consumer_key and consumer_secret go into the query, over HTTPS only. For plain HTTP, the API requires OAuth 1.0a without a token, which this entry doesn't offer. Sites without pretty permalinks have no /wp-json path.",
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
            description: "account's subdomain",
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
        ],
        note: Some(
            "OAuth is for partners with a client issued by Workable. 10 calls per 10 s for an account token, 50 for OAuth and partner tokens.",
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
                description: "host of the tenant's sign-in page, for example impl.workday.com; it isn't the service host",
                pattern: r"^([a-z0-9-]+\.)?(workday|myworkday)\.com$",
                default: None,
            },
            VariableFacts {
                name: "host",
                description: "service host of the tenant's data centre, e.g. wd2-impl-services1.workday.com",
                pattern: r"^[a-z0-9-]+\.(workday|myworkday)\.com$",
                default: None,
            },
            VariableFacts {
                name: "tenant",
                description: "tenant's name",
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
        ],
        note: Some(
            "The vendor's pages are for customers only. The authorization URL has a host of its own; others use https://HOST/ccx/oauth2/TENANT/authorize. Client and scopes are made in each tenant. No path is known that each integration user may call.",
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
            description: "host in the token answer",
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
            "Without a scope Wrike grants wsReadWrite. Only the authorization code flow is supported. The host for calls comes in the token answer and accounts of the EU data centre have another one. contacts?me=true is unverified.",
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
            title: "App-only bearer token",
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
            "PKCE is required. No refresh token without offline.access; access token 2 hours. Public clients send client_id in the body instead of Basic. users/me needs a user's token: an app-only bearer gets 403. Calls are billed or capped by plan.",
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
            "By xAI's spec /api-key answers 400 (not 401) to an invalid key, and its body also tells of blocked or disabled keys: count 400 as bad. Today's page names only us.api.x.ai; older pages named us-east-1.api.x.ai and eu-west-1.api.x.ai. management-api.x.ai takes other keys.",
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
            "GET /connections needs no tenant header and lists tenants: call it after consent to fill tenant_id. Apps made since 2026-03-02 can't ask for accounting.transactions or accounting.reports.read (invalid_scope): use accounting.invoices.read, accounting.payments.read, accounting.banktransactions.read, accounting.reports.balancesheet.read and so on; older apps have until September 2027. PKCE works for public and, with the secret as well, confidential apps. Header name in the spec is xero-tenant-id.",
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
            description: "account's subdomain",
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
                title: "E-mail of the agent",
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
            "OAuth clients made before 2026-04-30 get a token without end and no refresh token unless expires_in is in the code exchange AND in each refresh: send it always (refresh_token_expires_in exists too). Newer clients expire by default (30 minutes). Required of every customer by 2027-04-01 (phase 2 from 2026-06-30). A refresh deletes both old tokens. PKCE: S256, for Ticketing, Help Center and Voice only; a confidential client may use it beside the secret. Unverified: without any credential /users/me.json answers 200 with an anonymous user (id null), so check user.id too.",
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
                description: "host of the data centre's accounts server, from accounts-server of the callback",
                pattern: r"^(accounts\.zoho\.(com|eu|in|com\.au|jp|sa|com\.cn)|accounts\.zohocloud\.ca)$",
                default: None,
            },
            VariableFacts {
                name: "region",
                description: "data centre, from api_domain of the token answer",
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
            "Every call but /organizations needs ?organization_id=. A v4 of the API has documentation of its own (www.zohoapis.com/books/v4). The data centre of the user, not of the app, decides the hosts: take accounts-server and api_domain from the answers. The accounts host of Canada is accounts.zohocloud.ca.",
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
                description: "host of the data centre's accounts server, from accounts-server of the callback",
                pattern: r"^(accounts\.zoho\.(com|eu|in|com\.au|jp|sa|com\.cn)|accounts\.zohocloud\.ca)$",
                default: None,
            },
            VariableFacts {
                name: "content_host",
                description: "host for files of the data centre",
                pattern: r"^(content\.zohoapis\.(com|eu|in|com\.au|jp|com\.cn)|upload\.zohocloud\.ca|files\.zoho\.sa)$",
                default: None,
            },
            VariableFacts {
                name: "region",
                description: "data centre, from api_domain of the token answer",
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
            "Canada signs in at accounts.zohocloud.ca though its API is at www.zohoapis.ca. Files: content.zohoapis.REGION in com, eu, in, com.au, jp, com.cn, but upload.zohocloud.ca in ca and files.zoho.sa in sa. The verify path and the scopes are unverified. Without access_type=offline no refresh token comes. A user of another data centre is redirected: take accounts_host from `accounts-server` of the callback. sandbox.zohoapis.* and developer.zohoapis.* are further bases. A refresh answer brings no new refresh token.",
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
        base_url_confidence: Confidence::Documented,
        checked: "2026-11-29",
        sources: &[
            "https://developers.zoom.us/docs/api/using-zoom-apis/",
            "https://developers.zoom.us/blog/pcke-oauth-with-postman-rest-api.md",
            "anthropics/knowledge-work-plugins:partner-built/zoom-plugin/skills/rest-api/concepts/authentication-flows.md",
        ],
        note: Some(
            "Refresh tokens are single use: store the new one before using the old access token again. Server-to-server apps use grant_type=account_credentials with account_id, no refresh token, which this entry doesn't offer. Scopes are set at the app and needn't be sent; user:read:user unverified (granular apps).",
        ),
        ..Facts::EMPTY
    },
];
