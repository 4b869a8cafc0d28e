//! Well-known suffixes below which a vendor gives each of its customers a host.

/// Suffixes under which other customers of a vendor can get hosts, and can read the request headers there or choose where the hosts lead.
/// Sorted; as of 2025-11-29. Most of them are missing in the public suffix list.
pub(super) const SHARED_SUFFIXES: [&str; 137] = [
    "activehosted.com",
    "acumatica.com",
    "aha.io",
    "aivencloud.com",
    "algolia.net",
    "algolianet.com",
    "amazonaws.com",
    "amazonaws.com.cn",
    "api-us1.com",
    "appiancloud.com",
    "atlassian.net",
    "auth0.com",
    "awsapps.com",
    "azure-api.net",
    "azure.com",
    "azure.net",
    "azurecr.io",
    "azuredatabricks.net",
    "azurefd.net",
    "azurehdinsight.net",
    "b2clogin.com",
    "bamboohr.com",
    "blackboard.com",
    "blob.core.windows.net",
    "breezy.hr",
    "brightspace.com",
    "chargebee.com",
    "ciamlogin.com",
    "cloud.databricks.com",
    "cloud.looker.com",
    "cloudamqp.com",
    "cloudapp.azure.com",
    "cloudforce.com",
    "core.windows.net",
    "coupahost.com",
    "custhelp.com",
    "cybozu.com",
    "database.windows.net",
    "databricks.com",
    "docebosaas.com",
    "documentforce.com",
    "domo.com",
    "dynamics.com",
    "egnyte.com",
    "elastic-cloud.com",
    "es.io",
    "force.com",
    "freshdesk.com",
    "freshsales.io",
    "freshservice.com",
    "gcp.databricks.com",
    "googleapis.com",
    "gorgias.com",
    "harvestapp.com",
    "helpscoutdocs.com",
    "hs-sites.com",
    "hubspotpagebuilder.com",
    "icims.com",
    "imgix.net",
    "instructure.com",
    "intercom.help",
    "jfrog.io",
    "jira.com",
    "kintone.com",
    "kustomerapp.com",
    "mambu.com",
    "mktorest.com",
    "mktoweb.com",
    "moodlecloud.com",
    "my.salesforce.com",
    "my.site.com",
    "mybigcommerce.com",
    "myfreshworks.com",
    "mykajabi.com",
    "myshopify.com",
    "neon.tech",
    "netsuite.com",
    "odoo.com",
    "okta-emea.com",
    "okta-gov.com",
    "okta.com",
    "oktapreview.com",
    "ondemand.com",
    "onelogin.com",
    "onmicrosoft.com",
    "oraclecloud.com",
    "oraclecloudapps.com",
    "pagerduty.com",
    "pegacloud.net",
    "pinecone.io",
    "pipedrive.com",
    "powerappsportals.com",
    "psdb.cloud",
    "qualtrics.com",
    "quickbase.com",
    "readme.io",
    "recruitee.com",
    "recurly.com",
    "retool.com",
    "salesforce-sites.com",
    "salesforce.com",
    "sentry.io",
    "service-now.com",
    "servicebus.windows.net",
    "servicenowservices.com",
    "sharepoint.cn",
    "sharepoint.com",
    "sharepoint.de",
    "sharepoint.us",
    "site.com",
    "slack.com",
    "snowflakecomputing.com",
    "squarespace.com",
    "statuspage.io",
    "talentlms.com",
    "taleo.net",
    "talkdeskid.com",
    "teachable.com",
    "teamtailor.com",
    "teamwork.com",
    "testrail.io",
    "thinkific.com",
    "tumblr.com",
    "typeform.com",
    "upstash.io",
    "uservoice.com",
    "vault.azure.net",
    "veevavault.com",
    "visualforce.com",
    "vtexcommercestable.com.br",
    "webex.com",
    "windows.net",
    "wordpress.com",
    "workable.com",
    "wpengine.com",
    "zendesk.com",
    "zoom.us",
];

/// Returns `true` if other customers of a vendor have hosts below `suffix`, directly or below a name that is below `suffix`.
pub(super) fn has_strangers_below(suffix: &str) -> bool {
    let is_below = |shared: &str| {
        shared
            .strip_suffix(suffix)
            .is_some_and(|labels| labels.is_empty() || labels.ends_with('.'))
    };
    SHARED_SUFFIXES.iter().any(|shared| is_below(shared))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Host;

    #[test]
    fn the_list_is_sorted_and_holds_hosts() {
        assert!(SHARED_SUFFIXES.is_sorted_by(|one, other| one < other));
        for suffix in SHARED_SUFFIXES {
            let host = Host::parse(suffix).map(|host| host.to_string());
            assert_eq!(host.as_deref(), Some(suffix));
        }
    }

    #[test]
    fn names_above_a_shared_suffix_are_shared_too() {
        for suffix in [
            "okta.com",
            "salesforce.com",
            "cloud.databricks.com",
            "core.windows.net",
        ] {
            assert!(has_strangers_below(suffix), "{suffix}");
        }
        for suffix in ["acme.okta.com", "notokta.com", "ta.com", "vendor.test"] {
            assert!(!has_strangers_below(suffix), "{suffix}");
        }
    }
}
