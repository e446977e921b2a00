//! `rmcp-server --era legacy|modern|both`: the reference server on rmcp. It never listens on anything
//! but loopback, and it is never part of the product.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let flag = arguments.iter().skip_while(|word| *word != "--era");
    let era = flag.into_iter().nth(1).map_or("both", String::as_str);
    match ringwall_tests::peers::server::serve(era).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rmcp-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
