//! The endpoint as a program: `car-model-endpoint [ADDRESS]`, by default `127.0.0.1:0`. It prints
//! its URL and serves until it is ended.

use std::process::ExitCode;

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let endpoint = match car_model_endpoint::Endpoint::start(&address) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            eprintln!("cannot serve on {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", endpoint.url());
    loop {
        std::thread::park();
    }
}
