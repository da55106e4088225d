"""The README of a data set."""

from __future__ import annotations

README = """\
# Features as Parquet

Written by `python -m routesae parquet`. Seven tables, each in a folder of Parquet files that are partitioned by the
names of dictionary and corpus (`dictionary=NAME/corpus=NAME`, as Hive does; names are percent-encoded). All have the
column `catalog`, the uuid of the catalog that a row is from; keys hold within a catalog.

| table | a row is | key |
|---|---|---|
| features | a feature: statistics, newest explanation and scores | dictionary_id, corpus_id, feature_index |
| layers | a feature's firings in a layer | and layer |
| tokens | a token class on which a feature fires | and token_class |
| contexts | a window of text: `tokens`, `token_ids` and `activations` are lists, a token each | context_id |
| explanations | an explanation with its newest scores | explanation_id |
| scores | a score | score_id |
| evaluation | a figure about a dictionary | evaluation_id |

Columns are those of the catalog, which its schema/README.md describes. A name that looks like a number is read as one
by some programs; they have an option against it.

## Features that fire rarely, by peak layer

DuckDB:

```sql
SELECT peak_layer, count(*) AS n, max(max_activation) AS strongest
FROM read_parquet('features/**/*.parquet', hive_partitioning = true)
WHERE firing_rate < 0.01 AND NOT is_dead GROUP BY peak_layer ORDER BY peak_layer
```

polars:

```python
import polars as pl

rare = pl.scan_parquet("features/**/*.parquet", hive_partitioning=True).filter(
    (pl.col("firing_rate") < 0.01) & ~pl.col("is_dead"))
by_layer = rare.group_by("peak_layer").agg(n=pl.len(), strongest=pl.col("max_activation").max())
found = by_layer.sort("peak_layer").collect()
```

pandas:

```python
import pandas as pd

features = pd.read_parquet("features")
rare = features[(features.firing_rate < 0.01) & ~features.is_dead]
found = rare.groupby("peak_layer").agg(n=("feature_index", "size"), strongest=("max_activation", "max"))
```

Spark:

```python
features = spark.read.parquet("features")
found = features.where("firing_rate < 0.01 AND NOT is_dead").groupBy("peak_layer").agg(
    {"feature_index": "count", "max_activation": "max"}).orderBy("peak_layer")
```

## Tokens on which a feature fires more than half as strongly as at its peak

DuckDB:

```sql
SELECT token, count(*) AS n FROM (
    SELECT unnest(tokens) AS token, unnest(activations) AS activation, contexts.activation AS peak
    FROM read_parquet('contexts/**/*.parquet', hive_partitioning = true) AS contexts
    WHERE feature_index = 7 AND band = 'top'
) WHERE activation > peak / 2 GROUP BY token ORDER BY n DESC, token
```

polars:

```python
found = (
    pl.scan_parquet("contexts/**/*.parquet", hive_partitioning=True)
    .filter((pl.col("feature_index") == 7) & (pl.col("band") == "top"))
    .select("tokens", "activations", "activation").explode("tokens", "activations")
    .filter(pl.col("activations") > pl.col("activation") / 2)
    .group_by(token="tokens").agg(n=pl.len()).sort(["n", "token"], descending=[True, False]).collect()
)
```

pandas:

```python
contexts = pd.read_parquet("contexts", filters=[("feature_index", "==", 7), ("band", "==", "top")])
tokens = contexts[["tokens", "activations", "activation"]].explode(["tokens", "activations"])
found = tokens[tokens.activations > tokens.activation / 2].tokens.value_counts()
```

Spark:

```python
from pyspark.sql import functions as F

contexts = spark.read.parquet("contexts").where("feature_index = 7 AND band = 'top'")
tokens = contexts.select("activation", F.explode(F.arrays_zip("tokens", "activations")).alias("t"))
found = tokens.where("t.activations > activation / 2").groupBy("t.tokens").count().orderBy(F.desc("count"))
```
"""
