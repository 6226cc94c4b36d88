//! Computes tables, figures, `results.json` and the HTML report from datasets.
//!
//! [`results`] computes the estimates of a run from its samples, [`evidence`] and [`claims`] judge the study's recommendations
//! by them, [`figures`] and [`exhibits`] draw them, [`run_page`] writes the page, [`paper`] gathers the numbers and
//! figures of the paper. The notebooks call the same functions.
#![forbid(unsafe_code)]

pub mod calibration;
pub mod check_study;
pub mod claim_definitions;
pub mod claim_power;
pub mod claims;
mod contrasts;
mod document;
pub mod evidence;
pub mod exhibits;
pub mod explanation;
pub mod figures;
mod ground_truth;
pub mod hook_costs;
pub mod layers;
mod left_out;
pub mod micro_prediction;
pub mod noise;
pub mod noise_fit;
pub mod observed_servers;
pub mod output_files;
pub mod paper;
pub mod recorded_launches;
pub mod reproduction;
pub mod results;
pub mod run_facts;
pub mod run_page;
pub mod secondary_estimates;
pub mod simulation_study;
pub mod spread_study;
pub mod study;
pub mod table;
pub mod total_interval_study;
