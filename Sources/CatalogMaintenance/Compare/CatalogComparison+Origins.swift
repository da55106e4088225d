import ActivationPipeline
import FeatureCatalog

/// Compares runs, models and corpora.
extension CatalogComparison {
    /// Runs are paired by identifier, or if they did the same to the same inputs. A run that did not complete is listed
    /// but is not a difference, since it left no rows that count.
    func compareRuns(into result: inout CatalogDifference) throws {
        struct Run {
            let record: RunRecord
            let deed: String
            var subject: String { "\(record.kind.rawValue) \(record.uuid.prefix(8))" }
        }

        func runs(of catalog: Catalog) throws -> [Run] {
            try catalog.runs().map { record in
                let inputs = try catalog.runInputs(record.runID).map { "\($0.role) \($0.sha256)" }
                let seed = record.seed.map { "\($0)" } ?? ""
                return Run(
                    record: record,
                    deed: ([record.kind.rawValue, record.status.rawValue, seed, record.configJSON] + inputs)
                        .joined(separator: "\n"))
            }
        }

        let (one, other) = (try runs(of: a), try runs(of: b))
        let (both, onlyA, onlyB) = Self.pairs(one, other, by: [{ $0.record.uuid }, { $0.deed }])
        for (index, found) in both where one[index].deed != other[found].deed {
            let (run, same) = (one[index].record, other[found].record)
            let subject = one[index].subject
            let counts = run.status == .complete || same.status == .complete
            var isNamed = false
            func compare(_ name: String, _ a: CatalogValue, _ b: CatalogValue) {
                guard a != b else { return }
                isNamed = true
                result.add(.run, subject, name, a, b, isDifference: counts)
            }
            compare("status", .text(run.status.rawValue), .text(same.status.rawValue))
            guard run.status == .complete || same.status == .complete else { continue }
            compare("config", .text(run.configJSON), .text(same.configJSON))
            compare("seed", .init(name: run.seed.map { "\($0)" }), .init(name: same.seed.map { "\($0)" }))
            if !isNamed { result.add(.run, subject, "inputs", .null, .null, isDifference: true) }
        }

        func describe(_ run: RunRecord) -> String { "\(run.status.rawValue), begun \(run.startedAt)" }
        for index in onlyA {
            let run = one[index].record
            result.add(
                .run, one[index].subject, onlyInFirst: true, describe(run), isDifference: run.status == .complete)
        }
        for index in onlyB {
            let run = other[index].record
            result.add(
                .run, other[index].subject, onlyInFirst: false, describe(run), isDifference: run.status == .complete)
        }
    }

    func compareModels(into result: inout CatalogDifference) throws {
        let (one, other) = (try a.languageModels(), try b.languageModels())
        let (both, onlyA, onlyB) = Self.pairs(one, other, by: [{ $0.sha256 + "\n" + $0.name }, { $0.sha256 }])
        for (index, found) in both where one[index].name != other[found].name {
            result.add(.model, one[index].name, "name", .text(one[index].name), .text(other[found].name))
        }

        func describe(_ model: LanguageModelRecord) -> String { "weights \(model.sha256.prefix(12))…" }
        for index in onlyA { result.add(.model, one[index].name, onlyInFirst: true, describe(one[index])) }
        for index in onlyB { result.add(.model, other[index].name, onlyInFirst: false, describe(other[index])) }
    }

    func compareCorpora(into result: inout CatalogDifference) throws {
        let (one, other) = (try a.corpora(), try b.corpora())
        let (_, onlyA, onlyB) = Self.pairs(one, other, by: [Self.identity])
        func describe(_ corpus: CorpusRecord) -> String { "text \(corpus.sha256.prefix(12))…" }
        for index in onlyA { result.add(.corpus, one[index].name, onlyInFirst: true, describe(one[index])) }
        for index in onlyB { result.add(.corpus, other[index].name, onlyInFirst: false, describe(other[index])) }
    }

    /// The identity of a corpus, independent of its key.
    static func identity(of corpus: CorpusRecord) -> String { corpus.sha256 + "\n" + corpus.name }
}
