import ActivationPipeline
import FeatureCatalog

/// Which features are judged, and by whom: what the address of the page says.
struct ReviewChoice {
    /// The dictionary, by name or number; nil for the last one added.
    let dictionary: String?
    /// The corpus; nil for the one indexed last.
    let corpus: String?
    /// The person's name; nil before it is given.
    let reviewer: String?
    /// How many features are drawn.
    let count: Int
    /// Seed of the draw.
    let seed: UInt64
    /// These features instead.
    let features: [Int]
    /// Features passed over, which are shown again another time.
    var skipped: [Int]

    /// Features of a sample, listed, or passed over, at most.
    private static let most = 10_000
    /// Characters of a name.
    private static let longestName = 100

    /// Bytes that the address is shorter than the longest that is taken, for what a verdict adds.
    private static let spare = 256

    /// - Throws: `ViewerProblem` 400 for a number that is none, a name that is too long or has control characters, or
    ///   more numbers than an address holds.
    init(_ fields: FormFields) throws(ViewerProblem) {
        dictionary = fields["dictionary"]
        corpus = fields["corpus"]
        let name = fields["reviewer"].map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        guard name?.count ?? 0 <= Self.longestName else {
            throw ViewerProblem(400, "a reviewer's name has at most \(Self.longestName) characters")
        }
        guard !Self.hasControl(name ?? "") else {
            throw ViewerProblem(400, "a reviewer's name has no control characters")
        }
        reviewer = name.flatMap { $0.isEmpty ? nil : $0 }
        guard let count = fields["sample"].map({ Int(digits: $0) }) ?? 20, (1...Self.most).contains(count),
            let seed = fields["seed"].map({ UInt64(digits: $0) }) ?? 0
        else { throw ViewerProblem(400, "sample takes 1 … \(Self.most), seed a whole number from 0") }
        (self.count, self.seed) = (count, seed)
        features = try Self.numbers(fields["features"], "features")
        skipped = try Self.numbers(fields["skipped"], "skipped")
        guard address.text.utf8.count <= FormFields.longestQuery - Self.spare else {
            throw ViewerProblem(400, "so many features do not fit into an address; judge them in several samples")
        }
    }

    /// Whether a text has characters that control a terminal or a printer.
    static func hasControl(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    private static func numbers(_ text: String?, _ name: String) throws(ViewerProblem) -> [Int] {
        let parts = text?.split(separator: ",") ?? []
        let numbers = parts.compactMap { Int(digits: $0) }
        guard numbers.count == parts.count, numbers.count <= most else {
            throw ViewerProblem(400, "\(name) takes numbers from 0 with commas, such as 7,12")
        }
        return numbers
    }

    /// The fields of the address.
    var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if let dictionary { fields.append(("dictionary", dictionary)) }
        if let corpus { fields.append(("corpus", corpus)) }
        if let reviewer { fields.append(("reviewer", reviewer)) }
        if features.isEmpty {
            fields += [("sample", "\(count)"), ("seed", "\(seed)")]
        } else {
            fields.append(("features", features.map(String.init).joined(separator: ",")))
        }
        if !skipped.isEmpty { fields.append(("skipped", skipped.map(String.init).joined(separator: ","))) }
        return fields
    }

    /// The page's address.
    var address: Address { Address(["review"], fields) }

    /// The features.
    ///
    /// - Throws: `CatalogError`, `WorkflowError`.
    func sample(in catalog: Catalog) throws -> ReviewSample {
        let index = try IndexedDictionary(named: dictionary, corpus: corpus, in: catalog)
        return features.isEmpty
            ? try ReviewSample(of: index, count: count, seed: seed, in: catalog)
            : try ReviewSample(of: index, features: features)
    }
}
