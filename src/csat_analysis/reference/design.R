# Reads design.csv and design_margins.csv, writes design_figures.csv: what R's survey package says of them.
#
#   apt-get install r-base-core r-cran-survey r-cran-mass
#   Rscript design.R               (in this folder)
#
# Frozen with R 4.2.2 and survey 4.1-1. Nobody who only runs the tests needs R: the figures are kept with the project.
#
# One row is one figure. Columns:
#   case       the design, and what is special about it (below)
#   estimand   mean_score, mean_overall, share_satisfied, ratio_score_size, total_score, or what the case asks
#   domain     a, b, c: that domain alone, as a subset of the design, never of the data; empty: all rows
#   value, se  estimate and standard error
#   deff          deff=TRUE: variance over that of a simple random sample without replacement, N = sum of the weights
#   deff_replace  deff="replace": the same, with replacement
#   df         degf(): clusters less strata, both among the rows that count (in the domain, with an answer);
#              in a contrast one less
#   conf_low, conf_high   value -+ se x quantile of t at df, 95 %; in the cases interval_* the method's own limits
#   statistic, p_value    t of a contrast against nought, two-sided at df
# Empty: does not apply, or R has no finite answer.
#
# Designs:
#   srs                   every row weighs N / n, N = sum of population over the strata
#   weighted              weight; every row its own cluster, one stratum
#   stratified            weight, stratum; every row its own cluster
#   clustered             weight, cluster, one stratum: here c08 is one cluster, because no strata tell it apart
#   stratified_clustered  weight, stratum, cluster within stratum: c08 is two clusters
#   ..._fpc               with the finite population: N (srs), population (stratified), clusters (clustered);
#                         clustered_fpc takes the sum of clusters over the strata
# Rows without an answer stay in the design: estimates of overall and satisfied are for the domain of the answers.
# ..._answered_rows is the same design built after they were dropped; cluster c20, where nobody answered, is then lost.

suppressPackageStartupMessages(library(survey))
invisible(Sys.setlocale("LC_COLLATE", "C"))
options(digits = 17, survey.lonely.psu = "fail", survey.adjust.domain.lonely = FALSE)

d <- read.csv("design.csv", na.strings = "")
d$second <- as.integer(d$wave == "second")
margins <- read.csv("design_margins.csv")
per_stratum <- unique(d[c("stratum", "population", "clusters")])
d$everyone <- sum(per_stratum$population)
d$all_clusters <- sum(per_stratum$clusters)
d$equal <- d$everyone / nrow(d)

# --- rows of the result ---------------------------------------------------------------------------------------------

found <- list()
keep <- function(case, estimand, domain = "", value = NA, se = NA, deff = NA, deff_replace = NA, df = NA,
                 conf_low = NA, conf_high = NA, statistic = NA, p_value = NA) {
  numbers <- c(value = value, se = se, deff = deff, deff_replace = deff_replace, df = df, conf_low = conf_low,
               conf_high = conf_high, statistic = statistic, p_value = p_value)
  names(numbers) <- c("value", "se", "deff", "deff_replace", "df", "conf_low", "conf_high", "statistic", "p_value")
  text <- ifelse(is.finite(numbers), sprintf("%.17g", numbers), "")
  row <- data.frame(case = case, estimand = estimand, domain = domain, t(text))
  found[[length(found) + 1]] <<- row
}

quiet <- function(x) suppressWarnings(x)
statistics <- list(
  mean_score = function(s, deff) svymean(~score, s, deff = deff),
  mean_overall = function(s, deff) svymean(~overall, s, deff = deff, na.rm = TRUE),
  share_satisfied = function(s, deff) svymean(~satisfied, s, deff = deff, na.rm = TRUE),
  ratio_score_size = function(s, deff) svyratio(~score, ~size, s, deff = deff),
  total_score = function(s, deff) svytotal(~score, s, deff = deff)
)
asked <- c(mean_overall = "overall", share_satisfied = "satisfied")

rows_of <- function(design, estimand, domain) {
  inside <- rep(TRUE, nrow(design))
  if (estimand %in% names(asked)) inside <- inside & !is.na(design$variables[[asked[[estimand]]]])
  if (domain != "") inside <- inside & design$variables$domain == domain
  if (all(inside)) design else quiet(design[inside, ])
}

estimate <- function(case, design, estimand, domain = "") {
  s <- rows_of(design, estimand, domain)
  without <- quiet(statistics[[estimand]](s, TRUE))
  with <- quiet(statistics[[estimand]](s, "replace"))
  df <- degf(s)
  limits <- if (df > 0) confint(without, df = df) else c(NA, NA)
  keep(case, estimand, domain, as.numeric(coef(without)), as.numeric(SE(without)), deff(without), deff(with), df,
       limits[1], limits[2])
}

estimates <- function(case, design, estimands, domains = c("", "a", "b", "c")) {
  for (estimand in estimands) for (domain in domains) estimate(case, design, estimand, domain)
}

# --- designs --------------------------------------------------------------------------------------------------------

build <- function(data, ...) svydesign(data = data, nest = TRUE, ...)
designs <- list(
  srs = build(d, ids = ~1, weights = ~equal),
  srs_fpc = build(d, ids = ~1, weights = ~equal, fpc = ~everyone),
  weighted = build(d, ids = ~1, weights = ~weight),
  stratified = build(d, ids = ~1, strata = ~stratum, weights = ~weight),
  stratified_fpc = build(d, ids = ~1, strata = ~stratum, weights = ~weight, fpc = ~population),
  clustered = build(d, ids = ~cluster, weights = ~weight),
  clustered_fpc = build(d, ids = ~cluster, weights = ~weight, fpc = ~all_clusters),
  stratified_clustered = build(d, ids = ~cluster, strata = ~stratum, weights = ~weight),
  stratified_clustered_fpc = build(d, ids = ~cluster, strata = ~stratum, weights = ~weight, fpc = ~clusters)
)
for (case in names(designs)) estimates(case, designs[[case]], names(statistics), "")
for (case in c("srs_fpc", "stratified", "stratified_fpc", "clustered", "stratified_clustered",
               "stratified_clustered_fpc"))
  estimates(case, designs[[case]], c("mean_score", "share_satisfied"), c("a", "b", "c"))
for (case in c("stratified_clustered", "stratified_clustered_fpc"))
  estimates(case, designs[[case]], c("mean_overall", "ratio_score_size", "total_score"), c("a", "b", "c"))

plain <- designs$stratified_clustered
finite <- designs$stratified_clustered_fpc
answered <- d[!is.na(d$overall), ]
estimates("stratified_clustered_answered_rows",
          build(answered, ids = ~cluster, strata = ~stratum, weights = ~weight),
          c("mean_overall", "share_satisfied"), "")

# na.rm=TRUE is the domain of those who answered; its degrees of freedom R leaves to the caller.
dropped <- svymean(~overall, plain, na.rm = TRUE)
domain <- svymean(~overall, subset(plain, !is.na(overall)))
stopifnot(isTRUE(all.equal(c(coef(dropped), SE(dropped)), c(coef(domain), SE(domain)), tolerance = 1e-14)))

# --- a stratum with one cluster: lonely_<option>, strata from lonely_stratum -----------------------------------------
# adjust     the square of the cluster's sum of scores, not centred, times (1 - f) and without n / (n - 1). The scores
#            of a mean, w (y - mean) / sum(w), have the mean of all taken off already. Those of a total, w y, have
#            nothing taken off: the whole weighted total of the lonely stratum goes in squared.
# certainty  contributes nothing; remove is the same, for means and for totals
# average    the sum of the others times strata / (strata with more than one cluster), both among the rows that count:
#            domain c has 4 and 3 of the 5 strata
# The same holds for a domain: a stratum is lonely by all its clusters, not by those in the domain.

alone <- list(
  build(d, ids = ~cluster, strata = ~lonely_stratum, weights = ~weight),
  build(d, ids = ~cluster, strata = ~lonely_stratum, weights = ~weight, fpc = ~clusters)
)
names(alone) <- c("", "_fpc")
for (option in c("adjust", "certainty", "average", "remove")) {
  options(survey.lonely.psu = option)
  for (place in seq_along(alone)) {
    case <- paste0("lonely_", option, names(alone)[place])
    estimates(case, alone[[place]], c("mean_score", "total_score", "mean_overall"), "")
    estimates(case, alone[[place]], "mean_score", c("b", "c"))
    estimates(case, alone[[place]], "total_score", "b")
  }
}
options(survey.lonely.psu = "fail")

# --- two waves ------------------------------------------------------------------------------------------------------
# waves_share_clusters   one design of both waves: a cluster's rows of both are one cluster (the covariance counts)
# waves_apart            the waves are strata: stratum x wave, and a cluster of both waves is two clusters
# Estimands difference_*: second less first. ..._ttest is svyttest (df: clusters less strata less one, among the rows
# with an answer), ..._contrast is svycontrast of svyby(covmat=TRUE), for which R has no df.

difference <- function(case, design, item) {
  s <- subset(design, !is.na(design$variables[[item]]))
  t <- svyttest(as.formula(paste(item, "~ second")), design)
  keep(paste0(case, "_ttest"), paste0("difference_", item), "", t$estimate, abs(t$estimate / t$statistic),
       df = t$parameter, conf_low = t$conf.int[1], conf_high = t$conf.int[2], statistic = t$statistic,
       p_value = t$p.value)
  waves <- svyby(as.formula(paste0("~", item)), ~second, s, svymean, covmat = TRUE)
  change <- svycontrast(waves, c(-1, 1))
  keep(paste0(case, "_contrast"), paste0("difference_", item), "", coef(change), SE(change),
       statistic = coef(change) / SE(change))
}

d$stratum_wave <- paste(d$stratum, d$wave)
waves <- list(
  waves_share_clusters = build(d, ids = ~cluster, strata = ~stratum, weights = ~weight),
  waves_share_clusters_fpc = build(d, ids = ~cluster, strata = ~stratum, weights = ~weight, fpc = ~clusters),
  waves_apart = build(d, ids = ~cluster, strata = ~stratum_wave, weights = ~weight)
)
for (case in names(waves)) for (item in c("score", "overall", "satisfied")) difference(case, waves[[case]], item)
for (case in names(waves)) for (wave in c("first", "second")) {
  s <- waves[[case]][d$wave == wave, ]
  m <- svymean(~score, s)
  keep(case, paste0("mean_score_", wave), "", coef(m), SE(m), df = degf(s))
}

# --- intervals of a share --------------------------------------------------------------------------------------------
# beta    Korn and Graubard: n* = p(1-p)/v x (t(n-1)/t(df))^2, n = rows with an answer, not cut at n; beta quantiles
# xlogit  log odds -+ t x se / (p(1-p)), carried back
# logit   the same limits from a fitted quasi-binomial model, therefore exact to 1e-9 only; its value likewise
# mean    value -+ t x se
# share_all_satisfied and share_none_satisfied: at 100 % and at 0 % only mean has limits, both equal to the value.

interval <- function(method, case, domain) {
  s <- rows_of(designs[[case]], "share_satisfied", domain)
  ci <- quiet(svyciprop(~satisfied, s, method = method))
  keep(paste("interval", method, case, sep = "_"), "share_satisfied", domain, as.numeric(ci), sqrt(vcov(ci)),
       df = degf(s), conf_low = attr(ci, "ci")[1], conf_high = attr(ci, "ci")[2])
}

for (method in c("beta", "logit", "xlogit")) interval(method, "srs_fpc", "")
for (case in c("stratified_clustered", "stratified_clustered_fpc"))
  for (method in c("beta", "xlogit")) for (domain in c("", "a", "b", "c")) interval(method, case, domain)
for (domain in c("", "c")) interval("logit", "stratified_clustered", domain)
plain$variables$none_satisfied <- 1 - plain$variables$all_satisfied
for (item in c("all_satisfied", "none_satisfied")) for (method in c("beta", "xlogit", "mean")) {
  ci <- quiet(tryCatch(svyciprop(as.formula(paste0("~", item)), plain, method = method), error = function(e) NULL))
  limits <- if (is.null(ci)) c(NA, NA) else attr(ci, "ci")
  m <- svymean(as.formula(paste0("~", item)), plain)
  keep(paste0("interval_", method, "_stratified_clustered"), paste0("share_", item), "", coef(m), SE(m),
       df = degf(plain), conf_low = limits[1], conf_high = limits[2])
}

# --- weights brought to known margins ---------------------------------------------------------------------------------
# poststratified      postStratify to age
# raked               rake to age and tenure, converged to 1e-14 of the population
# calibrated_raking   calibrate(calfun="raking") to the same margins: the weights of raked, another standard error
# calibrated_linear   calibrate(calfun="linear"), formula ~ age + tenure
# each from stratified_clustered, and ..._fpc from stratified_clustered_fpc.
#
# Standard errors: each row's linearised value (of a mean (y - mean) / sum of the final weights, of a total y; nought
# outside the domain) gives way to its residual from a regression on the margins, times the final weight. Outside the
# domain the residual is not nought, and counts. Which weights that regression has:
#   poststratified, calibrated_*   the base weights, as they were before
#   raked                          none: unweighted means within the levels of each margin in turn, ten rounds
# With equal base weights raked and calibrated_raking have one standard error; with unequal ones, as here, two.
# weights_*: of the final weights of all rows; weights_row_100 is the hundredth; sum^2 / sum_squares is Kish's
# effective n.

levels_of <- function(variable) {
  rows <- margins[margins$variable == variable, ]
  setNames(data.frame(rows$level, rows$count), c(variable, "Freq"))
}
counts <- setNames(margins$count, paste0(margins$variable, margins$level))
everyone <- unname(sum(margins$count[margins$variable == "age"]))
for (name in c("age", "tenure")) stopifnot(sum(margins$count[margins$variable == name]) == everyone)
with_factors <- function(design) {
  design$variables$age <- factor(design$variables$age, levels = levels_of("age")$age)
  design$variables$tenure <- factor(design$variables$tenure, levels = levels_of("tenure")$tenure)
  design
}
totals <- c("(Intercept)" = everyone, counts[c("age35-49", "age50-64", "age65+", "tenuretenant", "tenureother")])
calibrations <- list(
  poststratified = function(s) postStratify(s, ~age, levels_of("age")),
  raked = function(s) rake(s, list(~age, ~tenure), list(levels_of("age"), levels_of("tenure")),
                           control = list(maxit = 1000, epsilon = 1e-14)),
  calibrated_raking = function(s) calibrate(s, ~age + tenure, totals, calfun = "raking", epsilon = 1e-14, maxit = 1000),
  calibrated_linear = function(s) calibrate(s, ~age + tenure, totals, calfun = "linear")
)
for (kind in c("", "_fpc")) for (name in names(calibrations)) {
  design <- calibrations[[name]](with_factors(if (kind == "") designs$stratified_clustered else finite))
  case <- paste0(name, kind)
  reached <- svytotal(~age, design)
  stopifnot(max(abs(coef(reached) - levels_of("age")$Freq)) < 1e-10)
  if (name != "poststratified") stopifnot(max(abs(coef(svytotal(~tenure, design)) - levels_of("tenure")$Freq)) < 1e-10)
  estimates(case, design, c("mean_score", "share_satisfied"), if (kind == "") c("", "a", "b", "c") else c("", "c"))
  estimates(case, design, c("mean_overall", "ratio_score_size", "total_score"), "")
  w <- weights(design)
  figures <- list(min = min(w), max = max(w), mean = mean(w), median = median(w), sum = sum(w), sum_squares = sum(w^2),
                  row_1 = w[[1]], row_100 = w[[100]], row_240 = w[[240]])
  if (kind == "") for (figure in names(figures)) keep(case, paste0("weights_", figure), "", figures[[figure]])
}

level <- with_factors(designs$srs)
both <- sapply(calibrations[c("raked", "calibrated_raking")], function(f) SE(svymean(~score, f(level))))
stopifnot(abs(both[1] / both[2] - 1) < 1e-9)

write.csv(do.call(rbind, found), "design_figures.csv", row.names = FALSE, quote = FALSE, eol = "\n")
