//! Runs a page of the documentation as its reader would: block by block, in one folder that is empty at the start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use regex::Regex;

use crate::page::{Block, Page, Step, difference};
use crate::postgres::Schema;
use crate::web::Web;

/// Where the demo's hosts listen if nobody else does.
const DEMO: std::ops::RangeInclusive<u16> = 18_470..=18_473;
/// What a block needs that is about a database on a server.
const SERVER: &str = "PostgreSQL";
/// Where the program is that the one of the tests stands before.
const PSQL: &str = "/usr/bin/psql";
/// The front pages of its hosts.
const FRONTS: [&str; 4] = ["%Harvestman Gazette", "%Web Spinner''s Shop", "%Opilio Wiki", "%Quiet Corner"];

pub struct Shell {
    pub folder: tempfile::TempDir,
    web: Web,
    /// What stands for each database of the documentation on a server, by its name.
    schemas: BTreeMap<String, Schema>,
    /// Blocks that were run.
    pub ran: usize,
}

impl Shell {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join(".bin");
        std::fs::create_dir(&bin).unwrap();
        // Who builds from a checkout gets the program that the tests were built with.
        let build = "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift\nexec harvestman \"$@\"\n";
        write_program(&bin.join("cargo"), build);
        write_program(
            &bin.join("harvestman"),
            &format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_harvestman")),
        );
        let web = Web::start(&folder.path().join(".trust.pem")).await;
        Self { folder, web, schemas: BTreeMap::new(), ran: 0 }
    }

    /// The URL on the server of the tests for one that the documentation has.
    fn on_server(&mut self, text: &str) -> String {
        let url = Regex::new(r"postgres://\w+@db\.\w+/(\w+)").unwrap();
        for found in url.captures_iter(text) {
            let schema = || Schema::new().inspect(Schema::create).unwrap();
            self.schemas.entry(found[1].to_owned()).or_insert_with(schema);
        }
        url.replace_all(text, |found: &regex::Captures<'_>| format!("'{}'", self.schemas[&found[1]].url)).into_owned()
    }

    /// The programs of PostgreSQL in a block: the database is there, and its server is none that has a name.
    fn on_path(&mut self) {
        // As libpq writes a setting in a URL.
        let url = self.on_server("postgres://me@db.example/crawl");
        let url = url.replace("options%5Bsearch_path%5D=", "options=-csearch_path%3D");
        write_program(&self.path(".bin/createdb"), "#!/bin/sh\n");
        let ask = format!("#!/bin/sh\nwhile [ \"$1\" != -c ]; do shift; done\nexec '{PSQL}' {url} \"$@\"\n");
        write_program(&self.path(".bin/psql"), &ask);
    }

    /// Runs a page from its first line to its last; what went wrong, with its place.
    pub async fn run(&mut self, page: &Page) -> Result<(), String> {
        for block in page.blocks() {
            if let Some(name) = &block.file {
                let path = self.path(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, &block.text).unwrap();
            }
        }
        for step in &page.steps {
            match step {
                Step::First(command) => {
                    self.must("sh", command, 0).await.map(drop).map_err(|e| format!("{}: {e}", page.name))?
                }
                Step::Block(block) => {
                    self.block(page, block).await.map_err(|e| format!("{}:{}: {e}", page.name, block.line))?;
                }
            }
        }
        Ok(())
    }

    async fn block(&mut self, page: &Page, block: &Block) -> Result<(), String> {
        if block.absent.is_some() {
            return Ok(());
        }
        if !self.has(block.needs.as_deref()).await {
            let needs = block.needs.as_deref().unwrap_or_default();
            eprintln!("skipped: {}:{}, for {needs} is not there", page.name, block.line);
            return Ok(());
        }
        let is_on_server = block.needs.as_deref() == Some(SERVER);
        if is_on_server {
            self.on_path();
        }
        let printed = match block.language.as_str() {
            "sh" if is_on_server => {
                let script = self.on_server(&block.text);
                self.must("sh", &script, block.code).await?
            }
            "sh" => self.must("sh", &block.text, block.code).await?,
            "cron" => self.must("sh", job(&block.text), block.code).await?,
            "sql" if is_on_server => {
                let url = self.on_server("postgres://me@db.example/crawl");
                self.ask(&block.text, &url).await?
            }
            "sql" => {
                let made = ["crawl.db", "demo.db"].into_iter().find(|name| self.path(name).exists());
                self.ask(&block.text, made.ok_or("the page has made no database to ask")?).await?
            }
            // What is a file is run by its name.
            "python" if block.file.is_some() => return Ok(()),
            "python" => self.must("python3", &block.text, block.code).await?,
            "toml" => return toml::from_str::<toml::Table>(&block.text).map(drop).map_err(|e| e.to_string()),
            "json" => return is_json(&block.text),
            "rust" => return is_of_an_example(&block.text),
            "html" | "yaml" | "text" => return Ok(()),
            other => return Err(format!("nobody knows how to run `{other}`")),
        };
        self.ran += 1;
        match block.output.as_deref().and_then(|shown| difference(shown, &self.as_usual(&printed))) {
            Some(difference) => Err(difference),
            None => Ok(()),
        }
    }

    /// Each statement, of a database.
    async fn ask(&self, statements: &str, database: &str) -> Result<String, String> {
        let mut printed = String::new();
        for statement in statements.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            std::fs::write(self.path(".statement"), statement).unwrap();
            printed += &self.must("sh", &format!("harvestman query -d {database} \"$(cat .statement)\""), 0).await?;
        }
        Ok(printed)
    }

    /// Whether a program, or a module of Python, is here.
    async fn has(&self, name: Option<&str>) -> bool {
        let Some(name) = name else { return true };
        if name == SERVER {
            return std::env::var_os("HARVESTMAN_TEST_POSTGRES").is_some();
        }
        let look = format!("command -v {name} || python3 -c 'import {name}'");
        self.command("sh", &look).await.status.success()
    }

    /// What a command prints and says, as a terminal shows both.
    async fn must(&self, program: &str, script: &str, code: i32) -> Result<String, String> {
        let output = self.command(program, &self.as_it_is(script)).await;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(ended) if ended == code => Ok(printed),
            ended => Err(format!("{script}\nended with {ended:?} instead of {code}:\n{printed}")),
        }
    }

    async fn command(&self, program: &str, script: &str) -> Output {
        let mut command = Command::new("bash");
        let run = if program == "sh" {
            "exec 2>&1; set -o pipefail; eval \"$1\""
        } else {
            "exec 2>&1; exec python3 -c \"$1\""
        };
        let path = std::env::var("PATH").unwrap();
        let proxy = format!("http://127.0.0.1:{}", self.web.port);
        command.args(["-e", "-c", run, "bash", script]).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HARVESTMAN_")) {
            command.env_remove(name);
        }
        command
            .env("PATH", format!("{}:{path}", self.path(".bin").display()))
            .env("HOME", self.folder.path())
            .env("CHECKOUT", env!("CARGO_MANIFEST_DIR"))
            .env("SSL_CERT_FILE", self.path(".trust.pem"))
            .env_remove("SSL_CERT_DIR")
            .envs([("http_proxy", &proxy), ("https_proxy", &proxy)])
            .env("no_proxy", "127.0.0.1")
            // Nobody waits for the pace that is due to strangers.
            .env("HARVESTMAN_RATE", "0");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The ports that the demo's hosts have here, if others had theirs, by those that the documentation names.
    fn ports(&self) -> BTreeMap<u16, u16> {
        let Ok(db) =
            rusqlite::Connection::open_with_flags(self.path("demo.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        else {
            return BTreeMap::new();
        };
        let port = |title: &str| {
            let sql = format!("select host from pages where depth = 0 and title like '{title}'");
            let host: String = db.query_row(&sql, [], |row| row.get(0)).ok()?;
            host.rsplit(':').next()?.parse().ok()
        };
        DEMO.zip(FRONTS).filter_map(|(usual, title)| Some((usual, port(title)?))).collect()
    }

    fn as_it_is(&self, text: &str) -> String {
        let swap = |text: String, (usual, here): (u16, u16)| text.replace(&address(usual), &address(here));
        self.ports().into_iter().fold(text.to_owned(), swap)
    }

    fn as_usual(&self, text: &str) -> String {
        let swap = |text: String, (usual, here): (u16, u16)| text.replace(&address(here), &address(usual));
        self.ports().into_iter().fold(text.to_owned(), swap)
    }
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The command of a line for cron, in the folder at hand.
fn job(line: &str) -> &str {
    line.split_once("&& ").unwrap().1
}

fn is_json(text: &str) -> Result<(), String> {
    let object = format!("{{{text}}}");
    let parsed =
        serde_json::from_str::<serde_json::Value>(text).or_else(|e| serde_json::from_str(&object).map_err(|_| e));
    parsed.map(drop).map_err(|e| e.to_string())
}

/// Rust of the documentation is that of an example, which is compiled and run by tests/examples.rs.
fn is_of_an_example(text: &str) -> Result<(), String> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut examples =
        std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    match examples.any(|example| words(&example).contains(&words(text))) {
        true => Ok(()),
        false => Err("it is not in any file of examples/".to_owned()),
    }
}
