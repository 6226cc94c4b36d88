# Reference values for Hodges-Lehmann and for summaries over conditions, from R's wilcox.test and metafor. Writes ranks.json
# beside itself.
#
# Run: Rscript analysis/tests/reference/ranks.R

suppressPackageStartupMessages(library(metafor))

number <- function(value) if (is.null(value) || is.na(value)) "null" else sprintf("%.17g", value)
numbers <- function(values) paste0("[", paste(sapply(values, number), collapse = ", "), "]")

# Hollander & Wolfe (1973), 29f: the depression scale of R's own example, and others without ties of differences.
set.seed(15)
samples <- list(
  c(1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30) - c(0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29),
  c(4.5, -2.25, 3.75, 1.0, 0.25, 9.5),
  round(rnorm(25, 3, 10), 6),
  round(rexp(49, 0.1), 6)
)
lehmann <- sapply(samples, function(x) {
  # R's estimate is the median of the Walsh averages where the test is exact.
  test <- wilcox.test(x, conf.int = TRUE, exact = TRUE)
  sprintf(
    '{"values": %s, "value": %s, "low": %s, "high": %s}',
    numbers(x), number(test$estimate), number(test$conf.int[1]), number(test$conf.int[2])
  )
})

conditions <- list(
  list(y = c(540, 610, 480), se = c(20, 35, 12)),
  list(y = c(1.2, 0.9, 1.6, 1.1, 2.4), se = c(0.3, 0.2, 0.35, 0.25, 0.4)),
  list(y = c(-5, 8), se = c(3, 4)),
  list(y = c(10.0, 10.1, 9.9, 10.05), se = c(1, 1.5, 0.8, 2))
)
summaries <- sapply(conditions, function(data) {
  # Paule-Mandel; Knapp-Hartung with the scale not below one; prediction with k - 2 degrees of freedom.
  fit <- rma(yi = data$y, sei = data$se, method = "PM", test = "adhoc", control = list(tol = 1e-15, tau2.max = 1e7))
  k <- length(data$y)
  # The Q-profile.
  i2 <- confint(fit, control = list(tol = 1e-15, tau2.max = 1e7))$random["I^2(%)", ] / 100
  reach <- if (k > 2) qt(0.975, k - 2) * sqrt(fit$tau2 + fit$se^2) else NA
  sprintf(
    '{"effects": %s, "errors": %s, "value": %s, "low": %s, "high": %s, "tau2": %s, "i2": %s, "i2_low": %s, "i2_high": %s, "q": %s, "q_p": %s, "prediction_low": %s, "prediction_high": %s}',
    numbers(data$y), numbers(data$se), number(fit$b[1]), number(fit$ci.lb), number(fit$ci.ub), number(fit$tau2),
    number(fit$I2 / 100), number(i2[["ci.lb"]]), number(i2[["ci.ub"]]), number(fit$QE), number(fit$QEp), number(fit$b[1] - reach), number(fit$b[1] + reach)
  )
})

file <- sub("\\.R$", ".json", sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
writeLines(c(
  "{",
  ' "made_by": "analysis/tests/reference/ranks.R",',
  sprintf(' "versions": {"R": "%s", "metafor": "%s"},', getRversion(), packageVersion("metafor")),
  sprintf(' "hodges_lehmann": [\n  %s\n ],', paste(lehmann, collapse = ",\n  ")),
  sprintf(' "random_effects": [\n  %s\n ]', paste(summaries, collapse = ",\n  ")),
  "}"
), file)
