import ActivationPipeline
import ArgumentParser
import Benchmarks
import FeatureCatalog
@preconcurrency import Glibc
import Indexing
import TerminalOutput

struct BenchmarkQueriesCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "queries",
        abstract: "Time every kind of query on a catalog.",
        discussion: """
            Each is asked as on the command line, within this process: the catalog is opened for it, and what it prints \
            goes nowhere. The first time does not count.

            Example:
              routesae benchmark queries c.sqlite --format jsonl
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(help: "How often each is asked; the median counts.") var repeats = 5
    @Option(help: "Only those whose words contain this.") var only: String?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if !(1...1000).contains(repeats) { throw ValidationError("--repeats is \(repeats); allowed: 1 … 1000") }
    }

    func run() throws {
        let questions = try catalog.read { try Question.all(in: $0) }
            .filter { only == nil || ([$0.verb] + $0.words).joined(separator: " ").contains(only ?? "") }
        let clock = ContinuousClock()
        let rows = try questions.map { question -> [Cell] in
            var times: [Double] = []
            for round in 0...repeats {
                let time = try clock.measure {
                    try Self.silently {
                        var command = try RouteSAE.parseAsRoot([question.verb, catalog.catalog] + question.words)
                        try command.run()
                    }
                }
                if round > 0 { times.append(1000 * (time / .seconds(1))) }
            }
            times.sort()
            return [
                .text(([question.verb] + question.words).joined(separator: "\t")),
                .real(times[times.count / 2]), .real(times[times.count - 1]),
            ]
        }
        output.print(columns: ["question", "milliseconds", "slowest_milliseconds"], rows: rows)
    }

    /// Runs `body` while standard output and standard error go nowhere.
    private static func silently(_ body: () throws -> Void) throws {
        fflush(stdout)
        let kept = (dup(1), dup(2))
        let nowhere = open("/dev/null", O_WRONLY)
        dup2(nowhere, 1)
        dup2(nowhere, 2)
        defer {
            fflush(stdout)
            dup2(kept.0, 1)
            dup2(kept.1, 2)
            for file in [kept.0, kept.1, nowhere] { close(file) }
        }
        try body()
    }

    /// A query.
    private struct Question {
        let verb: String
        let words: [String]

        init(_ verb: String, _ words: String...) {
            self.verb = verb
            self.words = words
        }

        /// Every reading command with every option that changes its query, and every sortable column.
        static func all(in catalog: Catalog) throws -> [Question] {
            let key = try IndexedDictionary(named: nil, in: catalog).key
            let index = "dictionary_id = \(key.dictionaryID) AND corpus_id = \(key.corpusID)"
            // Words of the text: a frequent one, a rare one, two consecutive ones.
            let words = try catalog.passageTexts(limit: 50).flatMap { text -> [Substring] in
                text.split { !$0.isASCII || !$0.isLetter }.filter { $0.count > 1 }
            }
            let counts = Dictionary(words.map { ($0.lowercased(), 1) }, uniquingKeysWith: +)
            let frequent = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "the"
            let rare = counts.filter { $0.value == 1 }.map(\.key).max { ($0.count, $0) < ($1.count, $1) } ?? "zebra"
            let phrase = words.prefix(2).joined(separator: " ")
            let token = try catalog.topToken(key) ?? ""
            let seldom = try catalog.topToken(key, isRarest: true) ?? ""
            let columns = try SummaryColumns(of: catalog).sortable.map(\.name)
            var questions = [Question("features"), Question("features", "--limit", "20", "--offset", "1000")]
            for column in columns {
                questions.append(Question("features", "--sort", column, "--descending"))
                questions.append(Question("features", "--sort", column, "--ascending"))
            }
            questions += [
                Question("features", "--token=\(token)"), Question("features", "--token=\(seldom)"),
                Question("features", "--token=\(token)", "--sort", "firing_rate", "--min-score", "0.5"),
                Question("features", "--layers", "4"), Question("features", "--layers", "4", "--sort", "layer_entropy"),
                Question("features", "--layers", "99"), Question("features", "--min-score", "0.5"),
                Question("features", "--min-score", "0.9", "--sort", "simulation_score"),
                Question("features", "--above-chance"), Question("features", "--alive"),
                Question("features", "--where", "p99 > 3"), Question("features", "--where", "n_documents > 1e9"),
                Question("features", "--where", "firing_rate > 0.01", "--sort", "feature_index"),
                Question("features", "--where", "explanation like %\(rare)%"),
                Question("features", "--where", "top_token = '\(token)'", "--sort", "mean_activation"),
                Question("features", "--where", "is_dead = 1"), Question("features", "--columns", "all"),
                Question("feature", "0"), Question("feature", "1234", "--format", "json"),
                Question("feature", "77", "--format", "csv"), Question("layers"), Question("count"),
            ]
            for threshold in ["0.5", "1", "2", "4"] { questions.append(Question("count", "--threshold", threshold)) }
            questions.append(Question("count", "--threshold", "1", "2", "3", "--by-layer"))
            for scope in ["explanations", "tokens", "contexts"] {
                for words in [frequent, rare, phrase, frequent + " " + rare, String(frequent.prefix(2)) + "*"] {
                    questions.append(Question("search", words, "--scope", scope))
                }
            }
            questions += [
                Question("search", frequent), Question("runs"), Question("runs", "1"),
                Question("sql", "SELECT * FROM dictionary_summary"), Question("sql", "SELECT * FROM layer_profile"),
                Question("sql", "SELECT * FROM feature_summary LIMIT 20"),
                Question(
                    "sql",
                    "SELECT feature_index, explanation FROM feature_summary WHERE \(index) "
                        + "ORDER BY simulation_score DESC LIMIT 20"),
                Question("sql", "SELECT * FROM context WHERE \(index) AND feature_index = 123 AND band = 'top'"),
                Question(
                    "sql", "SELECT feature_index, activation, excerpt FROM context WHERE document_id = 5 LIMIT 100"),
                Question("sql", "SELECT peak_layer, count(*) FROM feature WHERE \(index) GROUP BY 1"),
            ]
            return questions
        }
    }
}
