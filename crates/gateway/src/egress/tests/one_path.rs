//! There is one way out: shown on the source of the whole product.

/// Every source file of the product (not its tests), with its path.
fn sources() -> Vec<(String, String)> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> = std::fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("tests"))
        .map(|path| path.join("src"))
        .collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap().to_owned();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.push((name, product.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_outbound_request_takes_the_one_egress_path() {
    let sources = sources();
    assert!(sources.len() > 20);
    for (means, place) in [
        ("TcpStream::connect", "egress/connector.rs"),
        ("TcpSocket::", "egress/connector.rs"),
        ("lookup_host", "egress/connector.rs"),
        ("to_socket_addrs", "egress/connector.rs"),
        ("UdpSocket", "egress/connector.rs"),
        ("legacy::Client", "src/egress.rs"),
        ("reqwest", "src/egress.rs"),
        // A process can connect wherever it likes: it is started in one place too.
        ("Command::new", "upstream/stdio/process.rs"),
    ] {
        for (name, text) in &sources {
            // The command line parser has a type of the same name.
            let text = text.replace("clap::Command::new", "");
            assert!(
                !text.contains(means) || name.ends_with(place),
                "{means} in {name}"
            );
        }
    }
}
