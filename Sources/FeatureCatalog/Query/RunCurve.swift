/// Summary of a run's curve.
package struct RunCurve: Sendable {
    /// Its name.
    package let name: String
    /// How many points it has.
    package let count: Int
    /// The first value; nil if it was not finite.
    package let first: Double?
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
                SELECT m.name, m.n, f.value, m.last_step, l.value
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
            guard let name = row[0].string, let count = row[1].wholeNumber, let step = row[3].wholeNumber else {
                return nil
            }
            return RunCurve(
                name: name, count: count, first: row[2].number, lastStep: step, last: row[4].number,
                means: means[name] ?? [])
        }
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
