package import ActivationPipeline

/// Examples for probing: rows of latents with a class each, first those that are fitted on.
package struct ProbeExamples {
    /// What is told apart.
    let label: TextLabel
    /// Latents of each example.
    let rows: LatentRows
    /// Class of each; −1 where it has none.
    let classes: [Int32]
    /// Names of the classes.
    let names: [String]
    /// The document of each.
    let documents: [Int]
    /// Examples that are fitted on.
    let fitted: Int

    /// Tokens of an example for the labels of documents and their parts.
    static let stretch = 64
    /// Tokens that such an example has to have.
    private static let fewestTokens = 16

    /// Every token with its class.
    package init(tokensOf text: MeasuredText, _ rows: LatentRows, classes: TokenClasses) {
        label = .tokenClass
        self.rows = rows
        self.classes = text.tokenIDs.map(classes.of)
        names = classes.text
        documents = text.documentOfToken
        fitted = text.fittedTokens
    }

    /// Stretches of documents, with the mean activations of their tokens.
    ///
    /// - Parameter label: the source of the document, or the third that the stretch's middle is in.
    package init(stretchesOf text: MeasuredText, _ rows: LatentRows, label: TextLabel) {
        let mean = LatentRows(latents: rows.latents)
        let sources = Array(Set(text.documents.map(\.source))).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: sources.enumerated().map { ($1, Int32($0)) })
        var (classes, documents, fitted): ([Int32], [Int], Int) = ([], [], 0)
        var sums = Array(repeating: Float(0), count: rows.latents)
        rows.withRows { rows in
            for (number, document) in text.documents.enumerated() {
                for first in stride(from: document.tokens.lowerBound, to: document.tokens.upperBound, by: Self.stretch)
                {
                    let tokens = first..<min(first + Self.stretch, document.tokens.upperBound)
                    guard tokens.count >= Self.fewestTokens else { continue }
                    var touched: Set<Int> = []
                    for entry in rows.offsets[tokens.lowerBound]..<rows.offsets[tokens.upperBound] {
                        sums[Int(rows.indices[entry])] += rows.activations[entry] / Float(tokens.count)
                        touched.insert(Int(rows.indices[entry]))
                    }
                    mean.append(touched.sorted().map { ($0, sums[$0]) })
                    for latent in touched { sums[latent] = 0 }
                    let middle = 2 * (tokens.lowerBound - document.tokens.lowerBound) + tokens.count
                    classes.append(
                        label == .source
                            ? numbers[document.source] ?? -1
                            : Int32(truncatingIfNeeded: min(2, 3 * middle / (2 * document.tokens.count))))
                    documents.append(number)
                    if number < text.fittedDocuments { fitted += 1 }
                }
            }
        }
        self.label = label
        self.rows = mean
        self.classes = classes
        names = label == .source ? sources : ["first third", "second third", "last third"]
        self.documents = documents
        self.fitted = fitted
    }
}
