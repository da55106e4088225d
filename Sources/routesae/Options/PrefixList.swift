import ArgumentParser

/// Numbers on the command line with commas between them, such as `256,512,1024`.
struct PrefixList: ExpressibleByArgument, Equatable, Encodable {
    /// The numbers, in the order given.
    let numbers: [Int]

    init?(argument: String) {
        let found = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard !found.contains(nil) else { return nil }
        numbers = found.compactMap { $0 }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(numbers)
    }
}
