//! The tenants of partners and organizations.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{answer, members};
use crate::program::Central;

#[tokio::test]
async fn a_partner_sees_its_tenants_page_by_page_and_asks_for_each() {
    let central = Central::start();
    let (partner, organization) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let mut tenants = vec![central.tenant.clone(), Uuid::new_v4().to_string(), Uuid::new_v4().to_string()];
    tenants.sort();
    for tenant in &tenants {
        let to = ["--partner", &partner, "--organization", &organization, "--name", "Example"];
        central.run_command(&[&["set-tenant", "--tenant", tenant], &to[..]].concat());
    }
    central.run_command(&["set-tenant", "--tenant", &Uuid::new_v4().to_string(), "--name", "Another's"]);
    for (kind, owner, header) in
        [("partner", &partner, "X-Partner-ID"), ("organization", &organization, "X-Organization-ID")]
    {
        let (id, secret) = central.create_client(&[&format!("--{kind}"), owner]);
        let client = central.log_in_as(&id, &secret).await;
        let (_, who) = answer(client.request(Method::GET, "/whoami/v1")).await;
        assert_eq!(who, json!({ "id": owner, "idType": kind, "apiHosts": { "global": central.url } }));
        let get = |path: &str| answer(client.request(Method::GET, path).header(header, owner));

        let mut found = Vec::new();
        for page in 1..=2 {
            let path = format!("/{kind}/v1/tenants?page={page}&page={page}&pageSize=2&pageTotal=True");
            let (_, reply) = get(&path).await;
            assert_eq!(reply["pages"], json!({ "current": page, "size": 2, "maxSize": 100, "total": 2, "items": 3 }));
            found.extend(reply["items"].as_array().unwrap().clone());
        }
        let ids: Vec<_> = found.iter().map(|tenant| tenant["id"].as_str().unwrap()).collect();
        assert_eq!(ids, tenants);
        let published = [
            "apiHost",
            "billingType",
            "contact",
            "dataGeography",
            "dataRegion",
            "externalIds",
            "id",
            "name",
            "organization",
            "partner",
            "products",
            "showAs",
            "status",
        ];
        assert_eq!(members(&found[0]), published);
        assert_eq!((&found[0]["apiHost"], &found[0]["partner"]["id"]), (&json!(central.url), &json!(partner)));
        // Under the other's path too.
        assert_eq!(get(&format!("/partner/v1/tenants/{}", ids[0])).await, (200, found[0].clone()));
        assert_eq!(get(&format!("/{kind}/v1/tenants/{}", Uuid::new_v4())).await.0, 404);
        let other = client.request(Method::GET, &format!("/{kind}/v1/tenants")).header(header, &central.tenant);
        assert_eq!(answer(other).await.0, 403);

        let alerts = |tenant: &str| {
            let request = client.request(Method::GET, "/siem/v1/alerts");
            answer(if tenant.is_empty() { request } else { request.header("X-Tenant-ID", tenant) })
        };
        assert_eq!(alerts(&central.tenant).await.0, 200);
        assert_eq!(alerts(&Uuid::new_v4().to_string()).await.0, 403);
        assert_eq!(alerts("").await.0, 400);
    }
    let (status, reply): (u16, Value) = central.log_in().await.get("/partner/v1/tenants").await;
    assert_eq!(status, 403, "{reply}");
}
