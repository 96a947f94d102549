// SPDX-License-Identifier: Apache-2.0
// Einsum of one or two operands as Reduce, Transpose and MatMul.

#include <algorithm>
#include <cctype>
#include <numeric>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

/// An operand and the letter of each of its axes.
struct Term {
  std::string letters;
  OpId op = 0;
};

bool has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

std::string kept(const std::string& letters, auto&& keep) {
  std::string result;
  std::copy_if(letters.begin(), letters.end(), std::back_inserter(result), keep);
  return result;
}

/// The equation without blanks, its output written out.
struct Equation {
  std::vector<std::string> operands;
  std::string result;
};

Equation equation_of(const Node& node) {
  const std::string text =
      kept(node.text("equation", ""), [](char c) { return std::isspace(static_cast<unsigned char>(c)) == 0; });
  if (has(text, '.')) throw node.not_in_graph("an ellipsis is not supported");
  const std::size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  Equation equation;
  for (std::size_t begin = 0; begin <= left.size();) {
    const std::size_t end = std::min(left.find(',', begin), left.size());
    equation.operands.push_back(left.substr(begin, end - begin));
    begin = end + 1;
  }
  if (arrow != std::string::npos) {
    equation.result = text.substr(arrow + 2);
  } else {
    // Letters that stand once, in the order of the alphabet.
    equation.result = kept(left, [&](char c) { return c != ',' && std::count(left.begin(), left.end(), c) == 1; });
    std::sort(equation.result.begin(), equation.result.end());
  }
  for (const std::string& letters : equation.operands)
    for (const char letter : letters)
      if (std::count(letters.begin(), letters.end(), letter) > 1)
        throw node.not_in_graph(std::string("the diagonal along '") + letter + "' is not supported");
  return equation;
}

class Einsum {
 public:
  Einsum(Translator& t, const Node& node) : t_(t), node_(node), equation_(equation_of(node)) {}

  OpId run() {
    if (equation_.operands.size() != static_cast<std::size_t>(node_.n_inputs()))
      throw node_.error("the equation has " + std::to_string(equation_.operands.size()) + " operands, the node " +
                        std::to_string(node_.n_inputs()));
    if (equation_.operands.size() > 2) throw node_.not_in_graph("more than two operands are not supported");
    std::vector<Term> terms;
    for (std::size_t i = 0; i < equation_.operands.size(); ++i)
      terms.push_back(term(static_cast<int>(i), equation_.operands[i]));
    for (std::size_t i = 0; i < terms.size(); ++i)
      terms[i] =
          summed(terms[i], i + 1 == terms.size() ? (i == 0 ? "" : equation_.operands[0]) : equation_.operands[1]);
    const Term all = terms.size() == 1 ? terms[0] : product(terms[0], terms[1]);
    return ordered(all, equation_.result).op;
  }

 private:
  Term term(int input, const std::string& letters) {
    const OpId op = t_.op(node_, input);
    if (t_.graph().shape(op).size() != letters.size())
      throw node_.error("'" + letters + "' names the axes of " + to_string(t_.graph().shape(op)));
    return {letters, op};
  }

  Index size(const Term& term, char letter) const { return t_.graph().shape(term.op)[term.letters.find(letter)]; }

  Index size(const Term& term, const std::string& letters) const {
    Index all = 1;
    for (const char letter : letters) all *= size(term, letter);
    return all;
  }

  // Without the axes that neither the result nor the other operand has.
  Term summed(const Term& from, const std::string& other) {
    const auto stays = [&](char letter) { return has(equation_.result, letter) || has(other, letter); };
    const std::string letters = kept(from.letters, stays);
    if (letters == from.letters) return from;
    std::vector<int> axes;
    Shape shape;
    for (std::size_t axis = 0; axis < from.letters.size(); ++axis) {
      if (stays(from.letters[axis]))
        shape.push_back(t_.graph().shape(from.op)[axis]);
      else
        axes.push_back(static_cast<int>(axis));
    }
    const OpId sum = t_.add(node_, {from.op}, Reduce{GenericReduceKind::sum, axes});
    return {letters, t_.reshape(node_, sum, shape)};
  }

  Term ordered(const Term& from, const std::string& letters) {
    if (letters.size() != from.letters.size()) throw node_.error("'" + letters + "' has letters that no operand has");
    if (letters == from.letters) return from;
    std::vector<int> axes;
    for (const char letter : letters) {
      if (!has(from.letters, letter)) throw node_.error(std::string("no operand has '") + letter + "'");
      axes.push_back(static_cast<int>(from.letters.find(letter)));
    }
    return {letters, t_.add(node_, {from.op}, Transpose{axes})};
  }

  // (both, rows, summed) times (both, summed, columns).
  Term product(const Term& a, const Term& b) {
    for (const char letter : a.letters)
      if (has(b.letters, letter) && size(a, letter) != size(b, letter))
        throw node_.error(std::string("'") + letter + "' has two sizes");
    const auto in_result = [&](char letter) { return has(equation_.result, letter); };
    const std::string shared = kept(a.letters, [&](char letter) { return has(b.letters, letter); });
    const std::string both = kept(shared, in_result);
    const std::string gone = kept(shared, [&](char letter) { return !in_result(letter); });
    const std::string rows = kept(a.letters, [&](char letter) { return !has(shared, letter); });
    const std::string columns = kept(b.letters, [&](char letter) { return !has(shared, letter); });
    const OpId left =
        t_.reshape(node_, ordered(a, both + rows + gone).op, {size(a, both), size(a, rows), size(a, gone)});
    const OpId right =
        t_.reshape(node_, ordered(b, both + gone + columns).op, {size(a, both), size(a, gone), size(b, columns)});
    Shape shape;
    for (const char letter : both + rows) shape.push_back(size(a, letter));
    for (const char letter : columns) shape.push_back(size(b, letter));
    return {both + rows + columns, t_.reshape(node_, t_.add(node_, {left, right}, MatMul{}), shape)};
  }

  Translator& t_;
  const Node& node_;
  Equation equation_;
};

}  // namespace

void einsum(Translator& t, const Node& node) { t.output(node, Einsum(t, node).run()); }

}  // namespace strake::onnx_import
