extension ScalarSet {
    /// `\s`, the property White_Space
    static let space = CharacterDatabase.shared.space
    /// `\d`
    static let digit = CharacterDatabase.shared.categories(["Nd"])
    /// `\h`
    static let hexadecimal = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
    static let ascii = ScalarSet([0...0x7F])
    static let newline = ScalarSet("\n")
    /// `\w` inside of brackets: the property Alphabetic, marks, digits and connectors.
    static let word = CharacterDatabase.shared.alphabetic
        .union(CharacterDatabase.shared.categories(["Mn", "Mc", "Me", "Nd", "Pc"]))
    /// `\w` outside of brackets, where Oniguruma counts six numbers of Latin 1 as well.
    static let bareWord = word.union(ScalarSet([0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE]))
    /// Scalars beyond ASCII that case folding relates to others, without the two that fold to ASCII letters.
    static var otherCased: ScalarSet { CharacterDatabase.shared.otherCased }

    /// A property by its name between the braces of `\p{…}`; spaces, `-`, `_` and the case of letters do not count.
    static func property(_ name: String) -> ScalarSet? {
        let key = String(name.lowercased().filter { !" _-".contains($0) })
        if let codes = categoryCodes[key] { return CharacterDatabase.shared.categories(codes) }
        if let scripts = scripts[key] { return ScalarSet(scripts) }
        switch key {
        case "alphabetic": return CharacterDatabase.shared.alphabetic
        case "uppercase": return CharacterDatabase.shared.uppercase
        case "lowercase": return CharacterDatabase.shared.lowercase
        case "whitespace": return space
        case "any": return everything
        case "assigned": return CharacterDatabase.shared.categories(["Cn"]).inverted
        // Without the symbols that the class [:punct:] has as well.
        case "punct": return CharacterDatabase.shared.categories(punctuationCodes)
        default: return posixClass(key)
        }
    }

    /// A class by its name between `[:` and `:]`.
    static func posixClass(_ name: String) -> ScalarSet? {
        let database = CharacterDatabase.shared
        switch name {
        case "alpha": return database.alphabetic
        case "upper": return database.uppercase
        case "lower": return database.lowercase
        case "digit": return digit
        case "alnum": return database.alphabetic.union(digit)
        case "space": return space
        case "blank": return database.categories(["Zs"]).union(ScalarSet("\t"))
        case "cntrl": return database.categories(["Cc"])
        case "punct": return database.categories(punctuationCodes + ["Sm", "Sc", "Sk", "So"])
        case "graph": return database.categories(["Cc", "Cn", "Cs"]).union(space).inverted
        case "print": return database.categories(["Cc", "Cn", "Cs", "Zl", "Zp"]).inverted
        case "xdigit": return hexadecimal
        case "word": return word
        case "ascii": return ascii
        default: return nil
        }
    }

    private static let punctuationCodes = ["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"]

    /// General categories by their short and long names, in small letters.
    private static let categoryCodes: [String: [String]] = {
        let names = [
            "Lu": "uppercaseletter", "Ll": "lowercaseletter", "Lt": "titlecaseletter", "Lm": "modifierletter",
            "Lo": "otherletter", "Mn": "nonspacingmark", "Mc": "spacingmark", "Me": "enclosingmark",
            "Nd": "decimalnumber", "Nl": "letternumber", "No": "othernumber", "Pc": "connectorpunctuation",
            "Pd": "dashpunctuation", "Ps": "openpunctuation", "Pe": "closepunctuation", "Pi": "initialpunctuation",
            "Pf": "finalpunctuation", "Po": "otherpunctuation", "Sm": "mathsymbol", "Sc": "currencysymbol",
            "Sk": "modifiersymbol", "So": "othersymbol", "Zs": "spaceseparator", "Zl": "lineseparator",
            "Zp": "paragraphseparator", "Cc": "control", "Cf": "format", "Cn": "unassigned", "Co": "privateuse",
            "Cs": "surrogate",
        ]
        var codes: [String: [String]] = [:]
        for (code, name) in names {
            codes[code.lowercased()] = [code]
            codes[name] = [code]
        }
        let groups = [
            "L": "letter", "M": "mark", "N": "number", "P": "punctuation", "S": "symbol", "Z": "separator",
            "C": "other",
        ]
        for (group, name) in groups {
            let members = names.keys.filter { $0.hasPrefix(group) }.sorted()
            codes[group.lowercased()] = members
            codes[name] = members
        }
        codes["lc"] = ["Lu", "Ll", "Lt"]
        codes["casedletter"] = ["Lu", "Ll", "Lt"]
        return codes
    }()
}
