import Foundation

/// What the names of the folders above a file say: repositories, releases, a name for a dictionary.
struct PathNames {
    /// The components of the absolute path, outermost first.
    let components: [String]

    /// Takes a path apart; it need not exist.
    init(_ path: String) {
        components = URL(filePath: path).standardizedFileURL.path.split(separator: "/").map(String.init)
    }

    /// The repository, if the path leads through a cache of downloads (`models--ORGANISATION--NAME`).
    var repository: String? {
        for component in components.reversed() where component.hasPrefix("models--") {
            let parts = component.dropFirst("models--".count).split(separator: "-", omittingEmptySubsequences: false)
            let name = parts.joined(separator: "-")
            guard let range = name.range(of: "--"), range.lowerBound > name.startIndex, range.upperBound < name.endIndex
            else { continue }
            return name[..<range.lowerBound] + "/" + name[range.upperBound...]
        }
        return nil
    }

    /// The innermost component that holds a text, without what a cache of downloads puts before it.
    func last(holding text: String) -> String? {
        guard let component = components.last(where: { $0.contains(text) }) else { return nil }
        return component.hasPrefix("models--") ? component.components(separatedBy: "--").last : component
    }

    /// Whether a component says nothing about which dictionary it is unless the one above stands before it: a module's
    /// path, or a number with a common word before it.
    private static func isGeneric(_ name: String) -> Bool {
        if case .layer = HookPoint(name) { return true }
        let word = name.prefix { !$0.isNumber }
        let isNumbered = word.endIndex < name.endIndex && name[word.endIndex...].allSatisfy(\.isNumber)
        let common = ["", "layer", "trainer", "seed", "ae", "step", "checkpoint"]
        return ["checkpoints", "final", "routed", "snapshots"].contains(name)
            || isNumbered && common.contains(word.trimmingCharacters(in: ["_", "-", "."]))
    }

    /// A name for the dictionary at this path: its last component, with those above while it says little.
    var dictionaryName: String {
        var name: [String] = []
        for component in components.reversed() {
            name.insert(component, at: 0)
            if !Self.isGeneric(component) || name.count == 3 { break }
        }
        return Self.clean(name.joined(separator: "-"))
    }

    /// The path without its last component.
    var folder: String { "/" + components.dropLast().joined(separator: "/") }

    /// The path without the ending of its last component.
    var stem: String {
        let last = components.last ?? ""
        let ending = [".sae.pt", ".safetensors", ".pt", ".pth", ".bin"].first { last.hasSuffix($0) } ?? ""
        return folder + "/" + last.dropLast(ending.count)
    }

    /// The components of this path behind another.
    func relative(to folder: PathNames) -> [String] {
        components.starts(with: folder.components) ? Array(components.dropFirst(folder.components.count)) : components
    }

    /// A name without white space, slashes and control characters, of at most 120 characters.
    static func clean(_ name: String) -> String {
        let allowed = name.unicodeScalars.map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate: "-"
            default: scalar == "/" ? "-" : Character(scalar)
            }
        }
        let text = String(allowed.suffix(120))
        return text.isEmpty ? "dictionary" : text
    }
}
