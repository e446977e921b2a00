//! `rmcp-client TARGET --era legacy|modern|auto [--token TOKEN] --steps JSON`: the reference script on
//! rmcp. Prints one line of JSON. It is never part of the product.

use ringwall_tests::peers::client::{Job, run};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Job::read(&arguments) {
        Ok(job) => {
            println!("{}", run(job).await);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("rmcp-client: {error:#}");
            ExitCode::FAILURE
        }
    }
}
