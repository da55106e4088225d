package import ActivationPipeline
package import LinearAlgebra

/// How well k latents tell the classes of a label: k-sparse probing (Gurnee et al. 2023, arXiv 2305.01610), with k latents
/// chosen as SAEBench does.
///
/// For each of the most frequent classes, one against the rest: the latents with the largest difference of means inside
/// and outside the class, relative to their deviation, and logistic regression on the first k of them, both on half of
/// the documents; F1 on the others, at the bound that was best on the first. The figure is the mean F1 over the classes.
/// The baseline is what saying yes to everything scores.
package struct Probing {
    /// Numbers of latents.
    package static let sizes = [1, 2, 5]
    /// Classes that are probed at most.
    private static let mostClasses = 20
    /// Examples of a class, and beside it, that each half has to have.
    private static let fewestExamples = 5

    private let label: TextLabel
    /// Of the documents that are measured on: for each class and size true positives, false positives and false
    /// negatives; then for each class the examples of it and all.
    private var units: DocumentUnits<PlainSums>
    private let classCount: Int
    private let tokens: Int

    /// Fits and measures.
    ///
    /// - Parameter tokens: of the text.
    /// - Throws: `WorkflowError.badInput` for a label of which fewer than two classes have enough examples.
    package init(_ examples: ProbeExamples, tokens: Int, workers: Workers) throws(WorkflowError) {
        let classes = Self.classes(of: examples)
        guard classes.count > 1 else { throw Self.refusal(examples, classes) }
        label = examples.label
        classCount = classes.count
        self.tokens = tokens
        let moments = FittedMoments(examples, classes)
        let count = examples.classes.count
        let answers = [[[Bool]]](unsafeUninitializedCapacity: classes.count) { answers, filled in
            answers.initialize(repeating: [])
            filled = classes.count
            // Every class writes its own answers.
            nonisolated(unsafe) let answers = answers
            workers.forEach(tiles: classes.count) { place, _ in
                let chosen = moments.ranked(place, count: Self.sizes.max() ?? 1)
                answers[place] = Self.sizes.map { size in
                    Self.answers(
                        examples, class: classes[place], latents: Array(chosen.prefix(size)), moments: moments)
                }
            }
        }
        units = DocumentUnits(empty: PlainSums(count: classes.count * (3 * Self.sizes.count + 2)))
        for example in examples.fitted..<count {
            units.update(document: examples.documents[example]) { sums in
                for (place, number) in classes.enumerated() {
                    let isMember = examples.classes[example] == number
                    let base = place * (3 * Self.sizes.count + 2)
                    for size in Self.sizes.indices {
                        let saysYes = answers[place][size][example - examples.fitted]
                        if saysYes, isMember { sums.values[base + 3 * size] += 1 }
                        if saysYes, !isMember { sums.values[base + 3 * size + 1] += 1 }
                        if !saysYes, isMember { sums.values[base + 3 * size + 2] += 1 }
                    }
                    if isMember { sums.values[base + 3 * Self.sizes.count] += 1 }
                    sums.values[base + 3 * Self.sizes.count + 1] += 1
                }
            }
        }
    }

    /// The most frequent classes with enough examples.
    private static func classes(of examples: ProbeExamples) -> [Int32] {
        var counts: [Int32: (fitted: Int, measured: Int)] = [:]
        for (example, number) in examples.classes.enumerated() where number >= 0 {
            if example < examples.fitted {
                counts[number, default: (0, 0)].fitted += 1
            } else {
                counts[number, default: (0, 0)].measured += 1
            }
        }
        let (fitted, measured) = (examples.fitted, examples.classes.count - examples.fitted)
        let usable = counts.filter { _, count in
            count.fitted >= fewestExamples && fitted - count.fitted >= fewestExamples
                && count.measured >= fewestExamples && measured - count.measured >= fewestExamples
        }
        let ranked = usable.sorted {
            $0.value.fitted == $1.value.fitted ? $0.key < $1.key : $0.value.fitted > $1.value.fitted
        }
        return ranked.prefix(mostClasses).map(\.key)
    }

    /// Checks that documents that are fitted on come from more than one source.
    ///
    /// - Throws: `WorkflowError.badInput` where they do not.
    static func checkSources(_ text: MeasuredText) throws(WorkflowError) {
        let sources = Set(text.documents.map(\.source))
        guard sources.count == 1, let only = sources.first else { return }
        throw refusal(.source, "all documents read come from \"\(only)\"")
    }

    private static func refusal(_ examples: ProbeExamples, _ classes: [Int32]) -> WorkflowError {
        let present = Set(examples.classes.filter { $0 >= 0 }).sorted().map { examples.names[Int($0)] }
        let found =
            present.count == 1
            ? "all of the text is \"\(present[0])\""
            : "the text has \(present.count) classes, of which \(classes.count) have \(fewestExamples) examples in each half of the "
                + "documents and as many of others"
        return refusal(examples.label, found)
    }

    private static func refusal(_ label: TextLabel, _ found: String) -> WorkflowError {
        .badInput(
            path: "the label \(label.rawValue)",
            problem:
                "has fewer than two classes to tell apart: \(found); read more of the text (`maximumTokens`), in a "
                + "drawn order (`shuffle`), or name other labels with `labels`")
    }

    /// What a probe of some latents says of the examples that are measured on.
    private static func answers(
        _ examples: ProbeExamples, class number: Int32, latents: [Int], moments: FittedMoments
    ) -> [Bool] {
        let n = latents.count
        var values = Array(repeating: 0.0, count: examples.classes.count * n)
        let place = Dictionary(uniqueKeysWithValues: latents.enumerated().map { ($1, $0) })
        examples.rows.withRows { rows in
            for example in examples.classes.indices {
                for entry in rows[example] {
                    let latent = Int(rows.indices[entry])
                    guard let column = place[latent] else { continue }
                    values[example * n + column] = Double(rows.activations[entry]) / moments.deviations[latent]
                }
            }
        }
        let probe = LogisticProbe(
            Array(values.prefix(examples.fitted * n)), features: n,
            labels: examples.classes.prefix(examples.fitted).map { $0 == number })
        return (examples.fitted..<examples.classes.count).map { probe.score(values, from: $0 * n) >= probe.bound }
    }

    /// The figures, with intervals over documents.
    package func figures(resamples: Int, seed: UInt64) -> [MeasuredFigure] {
        let stretch = 3 * Self.sizes.count + 2
        func macro(_ f1: @escaping (_ sums: PlainSums, _ base: Int) -> Double?) -> (PlainSums) -> Double? {
            { sums in
                let found = (0..<classCount).compactMap { f1(sums, $0 * stretch) }
                // Resamples may lack a class.
                return found.isEmpty ? nil : found.reduce(0, +) / Double(found.count)
            }
        }
        func f1(_ hits: Double, _ wrong: Double) -> Double? { hits + wrong > 0 ? 2 * hits / (2 * hits + wrong) : nil }
        let name = "probe_" + label.rawValue.replacing("-", with: "_")
        let (whole, drawn) = (units.whole, units.resampled(resamples, seed: seed))
        func figure(_ metric: String, _ value: (PlainSums) -> Double?) -> MeasuredFigure {
            MeasuredFigure(metric, value(whole), ResampledInterval(drawn.map(value)), tokens: tokens)
        }
        return Self.sizes.enumerated().map { place, size in
            figure(
                "\(name)_k\(size)",
                macro { sums, base in
                    f1(
                        sums.values[base + 3 * place],
                        sums.values[base + 3 * place + 1] + sums.values[base + 3 * place + 2])
                })
        } + [
            figure(
                "\(name)_baseline",
                macro { sums, base in
                    let (own, all) = (sums.values[base + stretch - 2], sums.values[base + stretch - 1])
                    return own + all > 0 ? 2 * own / (own + all) : nil
                })
        ]
    }
}
