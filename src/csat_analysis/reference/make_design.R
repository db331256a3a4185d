# Makes design.csv and design_margins.csv: invented answers of 240 respondents, from a fixed seed.
#
#   Rscript make_design.R          (in this folder; base R is enough)
#
# Nobody who only runs the tests needs it: both files are kept with the project. What the data hold on purpose:
#   stratum, cluster   43 clusters in 4 strata; the id c08 occurs in two strata, and these are two clusters
#   population         units in the stratum (the finite population where units are drawn)
#   clusters           clusters in the stratum (the finite population where clusters are drawn); in west all were drawn
#   domain             c does not occur in west and lies in one cluster of east
#   wave               first and second share most clusters
#   overall, satisfied missing in about one row of twelve, and in the whole of cluster c20
#   lonely_stratum     stratum, but cluster c30 is a stratum of its own
#   all_satisfied      always 1

set.seed(20240229, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

strata <- data.frame(
  stratum = c("north", "east", "south", "west"),
  drawn = c(14, 11, 10, 8),          # clusters
  rows = c(75, 62, 60, 43),
  population = c(400, 150, 310, 96),
  clusters = c(60, 25, 34, 8),
  level = c(72, 66, 78, 60)
)

pick <- function(values, size, chances) sample(values, size, replace = TRUE, prob = chances)

stratum_rows <- function(place) {
  row <- strata[place, ]
  ids <- sprintf("c%02d", sum(strata$drawn[seq_len(place - 1)]) + seq_len(row$drawn))
  within <- c(seq_len(row$drawn), pick(seq_len(row$drawn), row$rows - row$drawn, runif(row$drawn, 0.5, 2)))
  feeling <- row$level + rnorm(row$drawn, sd = 7)[within] + rnorm(row$rows, sd = 14)
  data.frame(
    stratum = row$stratum, cluster = ids[sort(within)],
    weight = round(row$population / row$rows * runif(row$rows, 0.5, 1.9), 2),
    population = row$population, clusters = row$clusters, feeling = feeling[order(within)]
  )
}

d <- do.call(rbind, lapply(seq_len(nrow(strata)), stratum_rows))
n <- nrow(d)
d$lonely_stratum <- ifelse(d$cluster == "c30", "island", d$stratum)
d$domain <- pick(c("a", "b", "c"), n, c(0.45, 0.35, 0.2))
d$domain[d$domain == "c" & d$stratum == "west"] <- "a"
d$domain[d$domain == "c" & d$stratum == "east" & d$cluster != "c18"] <- "b"
d$domain[d$cluster == "c18"] <- rep(c("c", "a"), length.out = sum(d$cluster == "c18"))
d$wave <- pick(c("first", "second"), n, c(0.55, 0.45))
d$feeling <- d$feeling + 4 * (d$wave == "second")
d$overall <- as.integer(cut(d$feeling + rnorm(n, sd = 6), c(-Inf, 40, 55, 65, 80, Inf)))
d$overall[runif(n) < 0.075 | d$cluster == "c20"] <- NA
d$satisfied <- as.integer(d$overall >= 4)
d$all_satisfied <- 1L
d$score <- pmin(100, pmax(0, round(d$feeling)))
d$size <- round(exp(rnorm(n, 0.8, 0.4)) + d$score / 50, 1)
d$age <- ifelse(d$feeling > 75, pick(c("18-34", "35-49", "50-64", "65+"), n, c(1, 2, 3, 3)),
                pick(c("18-34", "35-49", "50-64", "65+"), n, c(3, 3, 2, 2)))
d$tenure <- pick(c("owner", "tenant", "other"), n, c(0.6, 0.3, 0.1))
d$cluster[d$stratum == "east" & d$cluster == "c17"] <- "c08"   # c08 lies in north as well

columns <- c("stratum", "lonely_stratum", "cluster", "weight", "population", "clusters", "domain", "wave", "overall",
             "satisfied", "all_satisfied", "score", "size", "age", "tenure")
write.csv(d[columns], "design.csv", row.names = FALSE, quote = FALSE, na = "", eol = "\n")

margins <- data.frame(
  variable = rep(c("age", "tenure"), c(4, 3)),
  level = c("18-34", "35-49", "50-64", "65+", "owner", "tenant", "other"),
  count = c(225, 266, 260, 205, 540, 316, 100)                 # each variable: 956, the sum of population
)
write.csv(margins, "design_margins.csv", row.names = FALSE, quote = FALSE, eol = "\n")
