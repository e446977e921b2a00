//! A real browser, without a window: Chromium of the system, driven over its own protocol. What a page
//! may not do, it says; what people with a keyboard or a screen reader cannot use, it finds.

use crate::issuer::overlaid;
use crate::place;
use crate::program::Program;
use crate::provider::driver;
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

/// A browser that runs.
#[derive(Clone, Debug)]
pub struct Chromium(Arc<Mutex<Program>>);

/// One person's browser: a profile of its own.
#[derive(Clone, Debug)]
pub struct Person {
    browser: Chromium,
    who: String,
}

/// What stands in a tab.
#[derive(Clone, Debug, Deserialize)]
pub struct Shown {
    /// Where it is.
    pub url: String,
    /// How it was answered; 0 if nobody was asked for it just now.
    pub status: u16,
    /// What it is called.
    pub title: String,
    /// What a person reads.
    pub text: String,
}

impl Chromium {
    /// Starts it.
    pub async fn start() -> Result<Self> {
        let program = driver("chromium.mjs")?
            .argument(place::chromium()?)
            .start("browser ")
            .await?;
        Ok(Chromium(Arc::new(Mutex::new(program))))
    }

    /// The browser of this person.
    pub fn of(&self, who: &str) -> Person {
        Person {
            browser: self.clone(),
            who: who.to_owned(),
        }
    }
}

impl Person {
    /// Goes to a page.
    pub async fn open(&self, url: &Url) -> Result<Shown> {
        self.shown("open", json!({ "url": url.as_str() })).await
    }

    /// Follows the button or link that is called this.
    pub async fn follow(&self, name: &str) -> Result<Shown> {
        self.shown("follow", json!({ "name": name })).await
    }

    /// Presses the button that is called this, where no page follows.
    pub async fn click(&self, name: &str) -> Result<()> {
        self.ask("click", json!({ "name": name })).await.map(drop)
    }

    /// Takes the switch, or the choice, that is called this.
    pub async fn choose(&self, name: &str) -> Result<()> {
        self.ask("choose", json!({ "name": name })).await.map(drop)
    }

    /// Fills in the field that is called this.
    pub async fn fill(&self, name: &str, value: &str) -> Result<()> {
        let field = json!({ "name": name, "value": value });
        self.ask("fill", field).await.map(drop)
    }

    /// Presses a key, such as `Tab`, and says what has the focus then.
    pub async fn press(&self, key: &str) -> Result<String> {
        let focus = self.ask("press", json!({ "key": key })).await?;
        Ok(focus.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until it is at a place whose address has this in it.
    pub async fn arrive(&self, at: &str) -> Result<Shown> {
        self.shown("arrive", json!({ "at": at })).await
    }

    /// Waits until this can be read.
    pub async fn see(&self, text: &str) -> Result<Shown> {
        self.shown("see", json!({ "text": text })).await
    }

    /// What stands there now.
    pub async fn read(&self) -> Result<Shown> {
        self.shown("read", json!({})).await
    }

    /// What a script in the page comes to, as an attacker's or a debugger's would.
    pub async fn run(&self, script: &str) -> Result<Value> {
        self.ask("run", json!({ "script": script })).await
    }

    /// Opens another tab and says its number. The first has the number 0.
    pub async fn another(&self) -> Result<u64> {
        let number = self.ask("another", json!({})).await?;
        number.as_u64().context("no number")
    }

    /// Goes back to a tab.
    pub async fn tab(&self, number: u64) -> Result<Shown> {
        self.shown("tab", json!({ "number": number })).await
    }

    /// What stands in the page and in each frame of it, by address; a frame that may not be shown has
    /// one of the browser's own.
    pub async fn frames(&self) -> Result<Vec<String>> {
        Ok(serde_json::from_value(
            self.ask("frames", json!({})).await?,
        )?)
    }

    /// The cookies it holds.
    pub async fn cookies(&self) -> Result<Vec<Value>> {
        Ok(serde_json::from_value(
            self.ask("cookies", json!({})).await?,
        )?)
    }

    /// Gives it a security key, which needs nobody to touch it.
    pub async fn authenticator(&self) -> Result<()> {
        self.ask("authenticator", json!({})).await.map(drop)
    }

    /// Takes a picture of the page, in the light and in the dark, if the tests were asked for pictures:
    /// `RINGWALL_PICTURES` is the folder they go to.
    pub async fn picture(&self, name: &str) -> Result<()> {
        let Some(folder) = std::env::var_os("RINGWALL_PICTURES") else {
            return Ok(());
        };
        for (dark, end) in [(false, "light"), (true, "dark")] {
            let path = Path::new(&folder).join(format!("{name}-{end}.png"));
            let path = path.display().to_string();
            self.ask("picture", json!({ "path": path, "dark": dark }))
                .await?;
        }
        Ok(())
    }

    /// That everybody can use the page, in the light and in the dark, and that nothing in it did what it
    /// may not.
    pub async fn is_fit(&self) -> Result<()> {
        for dark in [false, true] {
            let barriers = self.ask("barriers", json!({ "dark": dark })).await?;
            ensure!(barriers == json!([]), "dark: {dark}: {barriers:#}");
        }
        let complaints = self.complaints().await?;
        ensure!(complaints.is_empty(), "the browser says: {complaints:#?}");
        Ok(())
    }

    /// What the browser complained about since it was last asked.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let said = self.ask("complaints", json!({})).await?;
        Ok(serde_json::from_value(said)?)
    }

    async fn shown(&self, name: &str, members: Value) -> Result<Shown> {
        Ok(serde_json::from_value(self.ask(name, members).await?)?)
    }

    async fn ask(&self, name: &str, members: Value) -> Result<Value> {
        let command = overlaid(members, &json!({ "do": name, "who": self.who }));
        let mut program = self.browser.0.lock().await;
        program.say(&command.to_string()).await?;
        let answer: Value = serde_json::from_str(&program.line_starting("{").await?)?;
        match (answer.get("ok"), answer.get("error")) {
            (Some(ok), _) => Ok(ok.clone()),
            (None, error) => bail!("{}: {name}: {}", self.who, error.unwrap_or(&answer)),
        }
    }
}
