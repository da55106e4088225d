/// Summary of a run's curve.
package struct RunCurve: Sendable {
    /// Its name.
    package let name: String
    /// How many points it has.
    package let count: Int
    /// The first value; nil if it was not finite.
    package let first: Double?
    /// The step of the first.
    package let firstStep: Int
    /// The step of the last.
    package let lastStep: Int
    /// The last value, likewise.
    package let last: Double?
    /// The means of the curve's stretches, in order; NaN if none of a stretch's points is finite.
    package let means: [Double]
}

extension Catalog {
    /// A run's curves by name.
    ///
    /// - Parameter stretches: The most stretches that each is divided into, of equally many steps.
    package func runCurves(_ runID: Int64, stretches: Int) throws(CatalogError) -> [RunCurve] {
        let means = try means(of: runID, stretches: stretches)
        return try rows(
            sql: """
                SELECT m.name, m.n, f.value, m.last_step, l.value, m.first_step
                FROM (
                    SELECT run_id, name, count(*) AS n, min(step) AS first_step, max(step) AS last_step
                    FROM run_metric WHERE run_id = ? GROUP BY run_id, name
                ) AS m
                JOIN run_metric AS f ON f.run_id = m.run_id AND f.name = m.name AND f.step = m.first_step
                JOIN run_metric AS l ON l.run_id = m.run_id AND l.name = m.name AND l.step = m.last_step
                ORDER BY m.name
                """,
            arguments: [.integer(runID)]
        ).rows.compactMap { row in
            guard let name = row[0].string, let count = row[1].wholeNumber, let step = row[3].wholeNumber,
                let firstStep = row[5].wholeNumber
            else {
                return nil
            }
            return RunCurve(
                name: name, count: count, first: row[2].number, firstStep: firstStep, lastStep: step,
                last: row[4].number, means: means[name] ?? [])
        }
    }

    /// One of a run's curves; nil where it has none of that name.
    ///
    /// - Parameter stretches: The most stretches that it is divided into, of equally many steps.
    package func runCurve(_ runID: Int64, name: String, stretches: Int) throws(CatalogError) -> RunCurve? {
        let ends = try rows(
            sql: """
                SELECT e.n, e.first, e.last, f.value, l.value
                FROM (
                    SELECT count(*) AS n, min(step) AS first, max(step) AS last FROM run_metric
                    WHERE run_id = ?1 AND name = ?2
                ) AS e
                JOIN run_metric AS f ON f.run_id = ?1 AND f.name = ?2 AND f.step = e.first
                JOIN run_metric AS l ON l.run_id = ?1 AND l.name = ?2 AND l.step = e.last
                """,
            arguments: [.integer(runID), .text(name)]
        ).rows.first
        guard let ends, let count = ends[0].wholeNumber, let first = ends[1].wholeNumber,
            let last = ends[2].wholeNumber
        else { return nil }
        let means = try rows(
            sql: """
                SELECT (step - ?3) * ?4 / (?5 - ?3 + 1) AS stretch, avg(value) FROM run_metric
                WHERE run_id = ?1 AND name = ?2 GROUP BY stretch ORDER BY stretch
                """,
            arguments: [
                .integer(runID), .text(name), .integer(Int64(first)), .integer(Int64(stretches)),
                .integer(Int64(last)),
            ]
        ).rows.map { $0[1].number ?? .nan }
        return RunCurve(
            name: name, count: count, first: ends[3].number, firstStep: first, lastStep: last, last: ends[4].number,
            means: means)
    }

    /// The means of every curve's stretches, by its name.
    private func means(of runID: Int64, stretches: Int) throws(CatalogError) -> [String: [Double]] {
        let result = try rows(
            sql: """
                SELECT m.name, (m.step - e.first) * ? / (e.last - e.first + 1) AS stretch, avg(m.value)
                FROM run_metric AS m
                JOIN (
                    SELECT name, min(step) AS first, max(step) AS last FROM run_metric WHERE run_id = ? GROUP BY name
                ) AS e ON e.name = m.name
                WHERE m.run_id = ? GROUP BY m.name, stretch ORDER BY m.name, stretch
                """,
            arguments: [.integer(Int64(stretches)), .integer(runID), .integer(runID)])
        var means: [String: [Double]] = [:]
        for row in result.rows {
            guard let name = row[0].string else { continue }
            means[name, default: []].append(row[2].number ?? .nan)
        }
        return means
    }
}
