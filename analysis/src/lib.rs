//! Estimators, tests, figures and tables.
