# Reads housing.csv, writes housing_figures.csv: the proportional-odds model of the Copenhagen housing survey.
#
#   apt-get install r-base-core r-cran-mass
#   Rscript housing.R              (in this folder)
#
# Frozen with R 4.2.2 and MASS 7.3-58.2. Nobody who only runs the tests needs R: the figures are kept with the project.
#
# housing.csv: 1,681 householders in 72 rows, Madsen (1976), Scandinavian Journal of Statistics 3, 97, as printed in
# Venables and Ripley, Modern Applied Statistics with S, 4th edition, 7.3; column names are ours.
#
# Columns of housing_figures.csv:
#   estimand   variable and level of a term, below|above of a threshold (logit P(Y <= k) = threshold - sum of terms)
#   figure     estimate, se or deviance
#   decimals   how many of the value's decimals can be relied on. The book's figures have seven, of which the last is the
#              optimiser's: it stops up to 2.4e-7 short. Driven as far as it goes it is exact to about 4e-9, its numerical second derivatives likewise.

suppressPackageStartupMessages(library(MASS))
options(digits = 17)

d <- read.csv("housing.csv")
levels_of <- list(satisfaction = c("Low", "Medium", "High"), influence = c("Low", "Medium", "High"),
                  type = c("Tower", "Apartment", "Atrium", "Terrace"), contact = c("Low", "High"))
for (name in names(levels_of)) d[[name]] <- factor(d[[name]], levels_of[[name]])
fit <- polr(satisfaction ~ influence + type + contact, d, count, Hess = TRUE,
            control = list(reltol = 1e-16, maxit = 10000))

terms <- unlist(lapply(names(levels_of)[-1], function(name) paste(name, levels_of[[name]][-1])))
estimands <- c(terms, names(fit$zeta))
book <- c(0.5663937, 1.2888191, -0.5723501, -0.3661866, -1.0910149, 0.3602841, -0.4961353, 0.6907083)
stopifnot(max(abs(book - c(coef(fit), fit$zeta))) < 5e-7)

rows <- rbind(
  data.frame(estimand = estimands, figure = "estimate", value = sprintf("%.7f", book), decimals = 6,
             source = "Venables and Ripley (2002) MASS 7.3"),
  data.frame(estimand = "model", figure = "deviance", value = "3479.149", decimals = 3,
             source = "Venables and Ripley (2002) MASS 7.3"),
  data.frame(estimand = estimands, figure = "estimate", value = sprintf("%.9f", c(coef(fit), fit$zeta)), decimals = 8,
             source = "R 4.2.2 MASS 7.3-58.2 polr"),
  data.frame(estimand = estimands, figure = "se", value = sprintf("%.8f", sqrt(diag(vcov(fit)))), decimals = 7,
             source = "R 4.2.2 MASS 7.3-58.2 polr"),
  data.frame(estimand = "model", figure = "deviance", value = sprintf("%.9f", fit$deviance), decimals = 8,
             source = "R 4.2.2 MASS 7.3-58.2 polr")
)
write.csv(rows, "housing_figures.csv", row.names = FALSE, quote = FALSE, eol = "\n")
