//! Fitting a settled configuration to where it runs: the folder its file lies in, and the port the
//! system chose. Both are told to it; it looks at neither.

use super::{
    ClientProof, Credential, RulePack, SchemaFile, SecretRef, Settled, SigningKey, Transport,
    Upstream, Variable,
};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

impl Settled {
    /// The same with every relative path resolved against the folder of the configuration file.
    #[must_use]
    pub fn rooted_at(mut self, folder: &Path) -> Settled {
        self.data = folder.join(&self.data);
        let administration = self.administration.iter_mut();
        let administration = administration.flat_map(|it| &mut it.policies);
        for pattern in self.policies.iter_mut().chain(administration) {
            *pattern = folder.join(&*pattern).to_string_lossy().into_owned();
        }
        for listener in &mut self.listeners {
            if let Transport::Tls(tls) = &mut listener.transport {
                tls.certificate = folder.join(&tls.certificate);
                let authorities = tls.clients.as_mut().and_then(|it| it.authorities.as_mut());
                if let Some(authorities) = authorities {
                    *authorities = folder.join(&*authorities);
                }
                root(&mut tls.key, folder);
            }
        }
        for issuer in &mut self.issuers {
            if let Some(secret) = issuer.events.as_mut().and_then(|it| it.secret.as_mut()) {
                root(secret, folder);
            }
            if let Some(ClientProof::Key(secret) | ClientProof::Secret(secret)) =
                issuer.introspection.as_mut().map(|it| &mut it.proof)
            {
                root(secret, folder);
            }
            if let Some(graph) = &mut issuer.graph {
                root(&mut graph.secret, folder);
            }
        }
        match &mut self.ledger.key {
            SigningKey::Made(path) => *path = folder.join(&*path),
            SigningKey::Given(secret) => root(secret, folder),
        }
        for issuer in &mut self.issuers {
            let sign_in = issuer.sign_in.iter_mut();
            let secrets = sign_in.filter_map(|it| it.authentication.secret());
            secrets.for_each(|secret| root(secret, folder));
        }
        for provider in &mut self.providers {
            provider.secrets().for_each(|secret| root(secret, folder));
        }
        self.root_content(folder);
        for server in &mut self.servers {
            match &mut server.upstream {
                Upstream::Http(http) | Upstream::Sse(http) => match &mut http.credential {
                    Credential::None => {}
                    Credential::Bearer(secret) | Credential::Header { secret, .. } => {
                        root(secret, folder);
                    }
                    Credential::Oauth(oauth) => {
                        oauth.secrets().for_each(|secret| root(secret, folder));
                    }
                },
                Upstream::Stdio(stdio) => {
                    stdio.directory = folder.join(&stdio.directory);
                    for variable in stdio.environment.values_mut() {
                        if let Variable::Secret(secret) = variable {
                            root(secret, folder);
                        }
                    }
                }
            }
        }
        self
    }

    /// The files that are named of what is looked for in texts.
    fn root_content(&mut self, folder: &Path) {
        for pack in self.packs() {
            pack.file = folder.join(&pack.file);
            pack.key = folder.join(&pack.key);
        }
        for schema in self.schema_files() {
            schema.file = folder.join(&schema.file);
        }
    }

    /// Every pack of rules that a server or a route names.
    pub fn packs(&mut self) -> impl Iterator<Item = &mut RulePack> {
        let servers = self.servers.iter_mut().map(|it| &mut it.content.data);
        let routes = self.routes.iter_mut();
        let routes = routes.filter_map(|it| it.content.data.as_mut());
        servers.chain(routes).flat_map(|data| &mut data.packs)
    }

    /// Every file with a schema that a server or a route names.
    pub fn schema_files(&mut self) -> impl Iterator<Item = &mut SchemaFile> {
        let servers = self.servers.iter_mut();
        let servers = servers.map(|it| &mut it.content.arguments);
        let routes = self.routes.iter_mut();
        let routes = routes.filter_map(|it| it.content.arguments.as_mut());
        let all = servers.chain(routes);
        all.flat_map(|arguments| arguments.schema_files.values_mut())
    }

    /// The same once the system has chosen a port for the first listener: addresses that were
    /// derived from port 0 name the real one.
    #[must_use]
    pub fn bound_to(mut self, address: SocketAddr) -> Settled {
        if self.public_url.port() != Some(0) {
            return self;
        }
        let before = form(self.public_url.as_str());
        if self.public_url.set_port(Some(address.port())).is_err() {
            return self;
        }
        let after = form(self.public_url.as_str());
        for route in &mut self.routes {
            if let Some(rest) = route.resource.strip_prefix(&before) {
                route.resource = format!("{after}{rest}");
            }
            let own = route.issuers.iter_mut().filter(|issuer| **issuer == before);
            own.for_each(|issuer| issuer.clone_from(&after));
        }
        self
    }
}

fn root(secret: &mut SecretRef, folder: &Path) {
    if let SecretRef::File(path) = secret {
        *path = folder.join(PathBuf::from(&*path));
    }
}

fn form(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}
