import ArgumentParser
import Training
import Vocabulary

/// What `train --architecture` takes: an architecture, or the name of one with other settings.
struct ArchitectureName: ExpressibleByArgument, Equatable, Encodable {
    /// The name.
    let name: String

    init?(argument: String) {
        guard Self.allValueStrings.contains(argument) else { return nil }
        name = argument
    }

    static var allValueStrings: [String] {
        Architecture.allCases.map(\.rawValue) + ArchitectureShorthand.allCases.map(\.rawValue)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
