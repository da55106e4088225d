import ArgumentParser
import SparseCoding
import Vocabulary

/// Edits of features on the command line: `--feature 12 --set 8`, or `--set 12=8 --multiply 40=0`.
struct EditOptions: ParsableArguments {
    @Option(help: "The feature, where it is one; several are written as FEATURE=STRENGTH below.")
    var feature: Int?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Hold a feature at an activation, whether it is active or not. Sensible: up to twice its max_activation, "
                + "which 'routesae feature' shows.", valueName: "strength"))
    var set: [EditArgument] = []
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Add to a feature's activation everywhere; not below 0. Sensible: once or twice its max_activation.",
            valueName: "strength"))
    var add: [EditArgument] = []
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Scale a feature's activation where it is active: 0 takes it away, 2 doubles it.", valueName: "strength"))
    var multiply: [EditArgument] = []
    @Option(
        help: ArgumentHelp(
            "Try several strengths of the feature in turn: --feature 12 --sweep set=0,4,8, or 12:set=0,4,8.",
            valueName: "operation=a,b,c"))
    var sweep: SweepArgument?

    /// The edits, the swept one first.
    ///
    /// - Throws: `ValidationError` for an edit without a feature, or `--feature` with none or several edits.
    func edits() throws -> [LatentEdit] {
        let named: [(EditOperation, EditArgument)] =
            set.map { (.set, $0) } + add.map { (.add, $0) } + multiply.map { (.multiply, $0) }
        var edits = try named.map { operation, argument in
            guard let feature = argument.feature ?? (isFeatureFree ? nil : feature) else {
                throw ValidationError(
                    "--\(operation.rawValue) \(argument.strength) names no feature; "
                        + "add --feature N, or write --\(operation.rawValue) N=\(argument.strength)")
            }
            return LatentEdit(feature: feature, operation: operation, strength: argument.strength)
        }
        if let sweep {
            guard let feature = sweep.feature ?? feature else {
                throw ValidationError("--sweep names no feature; add --feature N, or write --sweep N:set=0,4,8")
            }
            edits.insert(
                LatentEdit(feature: feature, operation: sweep.operation, strength: sweep.strengths[0]), at: 0)
        }
        if let feature, !edits.contains(where: { $0.feature == feature }) || edits.isEmpty {
            throw ValidationError(
                "--feature \(feature) says nothing of what to do to it; add --set, --add, --multiply or --sweep")
        }
        guard !edits.isEmpty else {
            throw ValidationError("nothing to do to any feature; add --feature N and --set, --add or --multiply")
        }
        return edits
    }

    /// Whether `--feature` is not used by the sweep.
    private var isFeatureFree: Bool { sweep.map { $0.feature == nil } ?? false }
}

/// `8.5`, or `12=8.5` for feature 12.
struct EditArgument: ExpressibleByArgument {
    let feature: Int?
    let strength: Double

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let strength = Double(parts[parts.count - 1]) else { return nil }
        self.strength = strength
        guard parts.count == 2 else {
            feature = nil
            return
        }
        guard let feature = Int(parts[0]) else { return nil }
        self.feature = feature
    }
}

/// `set=0,4,8`, or `12:set=0,4,8` for feature 12.
struct SweepArgument: ExpressibleByArgument {
    let feature: Int?
    let operation: EditOperation
    let strengths: [Double]

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let names = parts[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let operation = EditOperation(rawValue: String(names[names.count - 1])) else { return nil }
        let strengths = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard !strengths.isEmpty, !strengths.contains(nil) else { return nil }
        self.operation = operation
        self.strengths = strengths.compactMap(\.self)
        guard names.count == 2 else {
            feature = nil
            return
        }
        guard let feature = Int(names[0]) else { return nil }
        self.feature = feature
    }
}
