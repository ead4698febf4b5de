//! The web pages as a browser sees them.

mod browser;
mod commands;
mod detection;
mod fleet;
mod list;
mod login;
mod safety;
mod tenants;
mod views;

use reqwest::{RequestBuilder, Response, header::HeaderMap, redirect};

use crate::program::Central;

/// What a browser keeps of the pages: a cookie, and what forms have to show.
pub(crate) struct Browser {
    client: reqwest::Client,
    url: String,
    /// The cookie's token; empty without one.
    pub(crate) token: String,
    pub(crate) csrf: String,
}

/// A page, or where it leads.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }
}

impl Central {
    /// A browser that has not been here before.
    pub(crate) fn browser(&self) -> Browser {
        let client = Self::client_of(self.dir.path(), |builder| builder.redirect(redirect::Policy::none()));
        Browser { client, url: self.web_url.clone(), token: String::new(), csrf: String::new() }
    }

    /// Name and password of the user that `dev` makes.
    pub(crate) fn user(&self) -> (String, String) {
        let password = std::fs::read_to_string(self.dir.path().join("web_password")).unwrap();
        ("admin".into(), password.trim().into())
    }

    /// Makes a user of this role in a tenant; returns the password.
    pub(crate) fn add_user(&self, tenant: &str, name: &str, role: &str) -> String {
        let said = self.run_command(&["user", "add", "--tenant", tenant, "--name", name, "--role", role]);
        said.strip_prefix("password: ").expect("the password").trim().to_owned()
    }

    /// A browser in which the admin of `dev` has logged in.
    pub(crate) async fn browse(&self) -> Browser {
        let (name, password) = self.user();
        self.browse_as(&name, &password).await
    }

    pub(crate) async fn browse_as(&self, name: &str, password: &str) -> Browser {
        let mut browser = self.browser();
        browser.get("/login").await;
        let page = browser.log_in(name, password).await;
        assert_eq!((page.status, page.location()), (303, "/"), "{}", page.text);
        browser.get("/detections").await;
        browser
    }
}

impl Browser {
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match self.token.as_str() {
            "" => request,
            token => request.header("cookie", format!("__Host-session={token}")),
        }
    }

    /// Keeps cookie and form token as a browser does.
    pub(crate) async fn take(&mut self, response: Response) -> Page {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        if let Some(cookie) = headers.get("set-cookie") {
            let value = cookie.to_str().unwrap().strip_prefix("__Host-session=").unwrap();
            self.token = value.split(';').next().unwrap().to_owned();
        }
        if let Some((_, rest)) = text.split_once("name=\"csrf\" value=\"") {
            self.csrf = rest.split('"').next().unwrap().to_owned();
        }
        Page { status, headers, text }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let response = self.request(reqwest::Method::GET, path).send().await.unwrap();
        self.take(response).await
    }

    /// Sends a form with what it has to show.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        self.post_plain(path, &[fields, &[("csrf", &csrf)]].concat()).await
    }

    pub(crate) async fn post_plain(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(reqwest::Method::POST, path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(body).send().await.unwrap();
        self.take(response).await
    }

    pub(crate) async fn log_in(&mut self, name: &str, password: &str) -> Page {
        self.post("/login", &[("name", name), ("password", password)]).await
    }
}
