//! The pages in a real browser: Chromium, driven over WebDriver, judged by axe.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::http::Method;
use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use super::{detection::shell, list::told};
use crate::{api::endpoints::hello, program::Central};

/// A machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser that knows this machine alone.
struct Browser {
    driver: Child,
    /// The browser's process: without its driver it would run on.
    chromium: Option<Pid>,
    client: Client,
    url: String,
    _home: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(chromium) = self.chromium {
            let _ = kill(chromium, Signal::SIGKILL);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    async fn open(central: &Central) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: setup/install.sh test brings it");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let started =
            lines.find_map(|line| line.ok()?.split_once("successfully on port ").map(|(_, port)| port.to_owned()));
        let port = started.expect("the driver says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        let profile = format!("--user-data-dir={}", home.path().join("profile").display());
        let options = json!({ "goog:chromeOptions": { "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--ignore-certificate-errors", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", profile,
        ] } });
        let Value::Object(capabilities) = options else { unreachable!() };
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
            .await
            .expect("a session of the browser");
        let pid = client.capabilities().and_then(|known| known.get("goog:processID")?.as_i64()?.try_into().ok());
        Self { driver, chromium: pid.map(Pid::from_raw), client, url: central.web_url.clone(), _home: home }
    }

    async fn close(mut self) {
        self.client.clone().close().await.unwrap();
        self.chromium = None;
    }

    async fn size(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.tell("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    async fn find(&self, css: &str) -> Element {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Waits until something says this. What is found may be of the page before, and gone when it is read.
    async fn until_says(&self, css: &str, wanted: &str) {
        let waiting = async {
            loop {
                let found = self.client.find(Locator::Css(css)).await;
                if let Ok(element) = found
                    && element.text().await.is_ok_and(|text| text == wanted)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{css} does not say {wanted}: {:?}", self.client.source().await);
    }

    async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().trim_start_matches(&self.url).to_owned()
    }

    /// Waits until the page is another one.
    async fn until_at(&self, path: &str) {
        let waiting = async {
            while self.path().await != path {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "at {} instead of {path}", self.path().await);
    }

    async fn type_into(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn press(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    async fn log_in(&self, (name, password): (String, String)) {
        self.go("/").await;
        self.type_into("#name", &name).await;
        // By the keyboard: the field for the password comes next, and Enter sends both.
        self.type_into("#password", &format!("{password}\u{e007}")).await;
        self.until_at("/detections").await;
    }

    /// What axe finds wrong with the page, in either colours, on a large screen and on a small one.
    async fn judge(&self, page: &str) {
        let waiting = async {
            let is_there = "return document.readyState === 'complete'";
            while self.client.execute(is_there, vec![]).await.ok() != Some(json!(true)) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the page with all that it loads");
        let axe = std::fs::read_to_string(axe()).expect("axe: setup/install.sh test brings it");
        for width in [1280, 390] {
            self.size(width).await;
            for scheme in ["light", "dark"] {
                self.colors(scheme).await;
                self.client.execute(&axe, vec![]).await.unwrap();
                let run = "const done = arguments[arguments.length - 1];
                           axe.run().then((result) => done(result.violations.map((found) =>
                               [found.id, found.help, found.nodes.map((node) => node.html + ' ' + node.any.map((check) => check.message))])));";
                let found = self.client.execute_async(run, vec![]).await.unwrap();
                assert_eq!(found, json!([]), "{page} at {width}, {scheme}");
                let wider = self
                    .client
                    .execute("return document.documentElement.scrollWidth - window.innerWidth", vec![])
                    .await;
                assert!(wider.unwrap().as_i64().unwrap() <= 0, "{page} is wider than {width}");
                self.keep_picture(&format!("{page}-{width}-{scheme}")).await;
            }
        }
        self.size(1280).await;
    }

    /// Asks for pages in dark or light.
    async fn colors(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.tell("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Gives a command of Chromium's own.
    async fn tell(&self, command: &str, parameters: Value) {
        let command = ChromiumCommand(json!({ "cmd": command, "params": parameters }));
        self.client.issue_cmd(command).await.unwrap();
    }

    /// In the folder that `SCREENSHOTS` names, for people.
    async fn keep_picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), self.client.screenshot().await.unwrap())
                .unwrap();
        }
    }
}

/// A command of Chromium's own.
#[derive(Debug)]
struct ChromiumCommand(Value);

impl fantoccini::wd::WebDriverCompatibleCommand for ChromiumCommand {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

fn axe() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/axe/node_modules/axe-core/axe.min.js")
}

#[tokio::test]
async fn from_the_log_in_to_the_log_out() {
    let central = Central::start();
    let many: Vec<_> = (0..60)
        .map(|number| {
            let priority = ["High", "Medium", "Low", "Info"][number % 4];
            told(
                "Suspicious Interactive Shell",
                priority,
                &format!("web-{}", number % 7),
                "root",
                "A shell was run by a service",
            )
        })
        .collect();
    central.tell(&many).await;
    central.tell(&[shell("Shell of a Web Server", "i-1", 1), shell("Web Server Wrote a Program", "i-1", 4)]).await;
    for (sensor, host) in [("sensor-1", "web-1"), ("0192f0c1-2b3c-7def-8a1b-c0ffee000001", "db-1.example.org")] {
        hello(&central, sensor, host, "192.0.2.1").await;
    }
    let browser = Browser::open(&central).await;
    browser.go("/login").await;
    browser.judge("login").await;
    browser.type_into("#name", "admin").await;
    browser.type_into("#password", "not the password\u{e007}").await;
    browser.until_says("[role=alert]", "Name or password is wrong.").await;
    browser.log_in(central.user()).await;
    browser.judge("detections").await;

    // Live: without loading the page again.
    central.tell(&[told("Kernel Module Inserted", "High", "db-1", "anna", "a module was loaded")]).await;
    browser.until_says("#news", "1 new detection").await;
    browser.until_says("#found tr:first-child .policy", "Kernel Module Inserted").await;

    browser.type_into("#host", "db-1\u{e007}").await;
    browser.until_at("/detections?host=db-1").await;
    browser.find("#found tr:only-child").await;

    browser.press("#found tr:first-child a").await;
    browser.until_says("h1", "Kernel Module Inserted").await;
    browser.press("form[action$='/acknowledge'] button").await;
    browser.until_says(".standing .state", "acknowledged").await;
    browser.type_into("#comment", "The new driver").await;
    browser.press("form[action$='/comment'] button").await;
    browser.until_says("blockquote", "The new driver").await;
    browser.go("/detections?incident=i-1").await;
    browser.press("#found tr:first-child a").await;
    browser.until_says("h1", "Web Server Wrote a Program").await;
    browser.judge("detection").await;
    browser.go("/sensors").await;
    browser.judge("sensors").await;
    browser.go("/tokens").await;
    browser.type_into("#label", "web servers\u{e007}").await;
    assert!(browser.text("pre.block").await.contains("token: \"SLS-"));
    browser.judge("tokens").await;
    browser.go("/audit").await;
    browser.judge("audit").await;

    browser.press(".logout button").await;
    browser.until_at("/login").await;
    browser.go("/detections").await;
    browser.until_at("/login?next=%2Fdetections").await;
    browser.close().await;
}
