// Package figure draws the results of SVCCA: for papers, reports and screens.
//
//	Pane          scores of layers against layers, as a heat map
//	Panes         several of them, over the steps of training, on one scale
//	Curves        series over steps or layers, with bands
//	Correlations  the ρ of one comparison, and what chance gives
//	Spectra       singular values of layers, and where each is cut
//
// Each is plain data, numbers and names, whose zero fields are what one wants,
// and has one method:
//
//	var file bytes.Buffer
//	pane := figure.Pane{Rows: names, Columns: names, Values: scores}
//	err := pane.Render(&file, figure.SVG, figure.Page{Width: 12 * figure.Centimetre})
//
// Render checks everything first and writes once, a whole file or nothing. Same
// figure and page give the same bytes in SVG and PNG; PDF says when it was made.
//
// Layers are named in full where there is room. Names too long lose first what
// all begin or end with, then their middles; where there are too many, every
// second, third, … has its name.
//
// # Colours
//
// Scores always run from 0 to 1, so that panes compare. Their colours go from
// dark violet through green to yellow, past the colours of viridis (van der Walt
// and Smith, 2015), placed so that CIE lightness L* grows in proportion to the
// score: equal steps are equally much lighter, also in grey, and lighter to all
// kinds of colour blindness. Curves are in colours of Okabe and Ito (2008) and
// differ by marker and dash as well.
//
// # Text
//
// Text in SVG is text: it can be searched, selected and read aloud, and files
// stay small. It is set in Liberation Sans or, where that is missing, in Arial or
// Helvetica, whose letters are as wide. PNG and PDF carry their letters.
//
// # Pages of HTML
//
// With Page.Inline a figure is an element to be put into a page, once that has Style
// in its head; it is light or dark as the reader's screen is. Page.Name and
// Page.Description are its alternative text:
//
//	fmt.Fprintf(&html, "<style>%s</style>", figure.Style())
//	err := pane.Render(&html, figure.SVG, figure.Page{Inline: true, Name: caption, Description: finding})
package figure
